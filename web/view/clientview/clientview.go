// Package clientview holds the pages of client certificates: one's own
// addresses, applying, keys, certificates and their evidence, each with its
// model. It decides how they are put together from the kit and which labels
// stand beside the values. It decides nothing of the subject: models come with
// everything worked out.
package clientview
