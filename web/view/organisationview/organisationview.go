// Package organisationview holds the pages of organisations, their server
// names and handovers, each with its model. It decides how they are put
// together from the kit and which labels stand beside the values. It decides
// nothing of the subject: models come with everything worked out.
package organisationview
