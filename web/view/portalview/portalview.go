// Package portalview holds the pages of the portal itself: start, sign-in and
// sessions, tokens, the description of the API, authorities and the footer's
// pages, each with its model. It decides how they are put together from the
// kit and which labels stand beside the values. It decides nothing of the
// subject: models come with everything worked out.
package portalview
