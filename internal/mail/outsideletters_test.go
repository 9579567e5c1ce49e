package mail

// outsideLetters are those about certificates that nobody wanted, and about what an
// authority outside will not revoke: to whom they are for, and to officers.
func outsideLetters() map[string]func() (Letter, error) {
	const person, officer = "kim.muster@uni.example", "rita@uni.example"
	mailbox := UnwantedWords{Reader: Reader{To: person}, Reference: "ABCD-EFGHJ", Names: []string{"kim.muster@uni.example"}, Why: EndedWish, At: at, Link: link}
	server := UnwantedWords{
		Reader: Reader{To: person}, Organisation: "Botanischer Garten", Reference: "KLMN-PQRST", Names: []string{"www.uni.example", "uni.example"},
		Why: EndedName, Revoking: true, At: at, Link: link,
	}
	refused := UnrevokedWords{Reader: Reader{To: person}, Reference: "ABCD-EFGHJ", Names: []string{"kim.muster@uni.example"}, Authority: "Muster Trust", Since: at, Link: link}
	letters := map[string]func() (Letter, error){}
	unwanted := func(name string, w UnwantedWords) {
		letters["unwanted-"+name] = func() (Letter, error) { return Unwanted(w) }
		office := w
		office.Reader, office.Office = Reader{To: officer}, true
		letters["unwanted-"+name+"-office"] = func() (Letter, error) { return Unwanted(office) }
	}
	unrevoked := func(name string, w UnrevokedWords) {
		letters["unrevoked-"+name] = func() (Letter, error) { return Unrevoked(w) }
		office := w
		office.Reader, office.Office, office.Said = Reader{To: officer}, true, "This certificate is not one of ours"
		letters["unrevoked-"+name+"-office"] = func() (Letter, error) { return Unrevoked(office) }
	}
	unwanted("mailbox", mailbox)
	unwanted("server", server)
	for _, why := range []Ended{EndedRow, EndedLink, EndedAccount, EndedRight} {
		w := mailbox
		w.Why = why
		letters["unwanted-"+string(why)] = func() (Letter, error) { return Unwanted(w) }
	}
	unrevoked("mailbox", refused)
	refused.Organisation, refused.Reference, refused.Names = server.Organisation, server.Reference, server.Names
	unrevoked("server", refused)
	return letters
}
