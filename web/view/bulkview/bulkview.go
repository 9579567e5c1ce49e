// Package bulkview holds the pages of one step for many rows, each with its
// model. It decides how they are put together from the kit and which labels
// stand beside the values. It decides nothing of the subject: models come with
// everything worked out.
package bulkview
