//go:build race

package sheet_test

// raced: with the race detector, whose own memory cannot be told from ours.
const raced = true
