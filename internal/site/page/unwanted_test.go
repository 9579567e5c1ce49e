package page_test

import (
	"testing"

	"petschaft/internal/mail"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
)

// TestWhyACertificateCameTooLateHasWords: histories showed the code.
func TestWhyACertificateCameTooLateHasWords(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		ctx := locale.With(t.Context(), locale.For(lang))
		for _, why := range []mail.Ended{
			mail.EndedWish, mail.EndedRow, mail.EndedLink, mail.EndedName, mail.EndedAccount, mail.EndedLater, mail.EndedSurplus, mail.EndedRejected,
			mail.EndedKey, mail.EndedRight,
		} {
			if got := page.ReasonWords(ctx, string(why)); got == string(why) || got == "" {
				t.Errorf("%s, %s: got %q", lang, why, got)
			}
		}
	}
}
