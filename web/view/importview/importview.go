// Package importview holds the pages of an import of addresses, from the
// upload to its end, each with its model. It decides how they are put together
// from the kit and which labels stand beside the values. It decides nothing of
// the subject: models come with everything worked out.
package importview
