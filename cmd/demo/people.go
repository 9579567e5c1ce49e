package main

import "petschaft/internal/idp"

// officers is the provider's group of registration officers.
const officers = "petschaft-ra"

// claimed is the provider's group that looks after the faculty's domain.
const claimed = "fakultaet-netz"

// people are the sample accounts; each name tells the role.
var people = []idp.Person{
	sample("nora", "Nora", "Netzmann", "institut.example", nil,
		"Netzansprechpartnerin für institut.example", "Network contact of institut.example"),
	sample("frank", "Frank", "Fakultätsnetz", "fakultaet.example", []string{claimed},
		"Netzansprechpartner für fakultaet.example", "Network contact of fakultaet.example"),
	sample("aylin.celik", "Aylin", "Çelik", "institut.example", nil,
		"Nutzerin; ihre Challenge wartet", "User; her challenge waits"),
	sample("mary.obrien", "Mary", "O'Brien-Schäfer", "institut.example", nil,
		"Nutzerin; zuständig für eine Funktionsadresse", "User; answers for a functional address"),
	sample("lea.braun", "Lea", "Braun", "fakultaet.example", nil,
		"Nutzerin an der Fakultät", "User at the faculty"),
	sample("tina", "Tina", "Technik", "institut.example", nil,
		"Technische Ansprechpartnerin zweier Organisationen (Serverzertifikate); sie kann sie übergeben, etwa an theo@fakultaet.example",
		"Technical contact of two organisations (server certificates); she can hand them over, for example to theo@fakultaet.example"),
	sample("theo", "Theo", "Terminal", "fakultaet.example", nil,
		"Technischer Ansprechpartner der Fakultät; ihre Aufträge genehmigt die Regel", "Technical contact of the faculty, whose orders are approved by rule"),
	sample("rita", "Rita", "Register", "petschaft.example", []string{officers},
		"Registrierungsstelle", "Registration officer"),
	sample("rolf", "Rolf", "Register", "petschaft.example", []string{officers},
		"Registrierungsstelle, für die vier Augen", "Registration officer, for four eyes"),
	sample("otto", "Otto", "Ohnerecht", "anderswo.example", nil,
		"Ohne jede Berechtigung", "Without any right"),
}

func sample(user, given, family, domain string, groups []string, german, english string) idp.Person {
	return idp.Person{
		Sub: "demo-" + user, Username: user, Name: given + " " + family, GivenName: given, FamilyName: family,
		Email: user + "@" + domain, EmailVerified: true, Groups: groups, Role: map[string]string{"de": german, "en": english},
	}
}
