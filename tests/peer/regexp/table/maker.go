// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand"
	"strings"
)

// What texts are made of: letters whose case is special, ends of lines, and
// characters of one to four bytes. All are older than Unicode 14.
var runes = []rune("aaabbcABCkKsS019_-. \t\n\r\v\f" +
	"\u017f\u212aéÉßẞσςΣµμΜ\u0345ιΙ\u1fbeİıǄǅǆЖж漢字😀𐐀𐐨\ue000\u0378\u0300\U0010ffff\ufffd\u0000\u0085\u00a0")

// Members that mean one character, also in classes.
var members = []string{
	"a", "b", "c", "k", "s", "K", "S", "A", "0", "9", "_", " ", "é", "É", "ſ", "K", "σ", "µ", "ß",
	"ẞ", "İ", "ı", "ǅ", "ж", "漢", "😀", "𐐀", `\.`, `\-`, `\n`, `\t`, `\r`, `\v`, `\f`, `\a`,
	`\x41`, `\x{6b}`, `\x{e9}`, `\x{10FFFF}`, `\x{3c3}`, `\101`, `\0`, `\_`, `\\`, `\]`, `\^`, `\/`,
}

// Classes of one letter, and properties whose meaning under (?i) is supported everywhere.
var classes = []string{
	`\d`, `\D`, `\s`, `\S`, `\w`, `\W`, `\pN`, `\PN`, `\p{Han}`, `\P{Han}`, `\p{^Nd}`, `\p{Cyrillic}`,
	`\pZ`, `\p{Sc}`, `\p{Zs}`, `\p{Cc}`, `\PZ`, `\p{Mc}`, `\p{Me}`, `\p{So}`, `\p{Any}`, `\P{Any}`,
	`\p{ASCII}`, `\P{ascii}`, `\p{Assigned}`, `\P{assigned}`, `\p{Punctuation}`, `\p{digit}`, `\pC`,
}

// Properties that (?i) changes; their negations stand outside brackets only.
var folding = []string{`\pL`, `\p{Greek}`, `\p{Common}`, `\p{Inherited}`, `\pM`, `\p{Mn}`,
	`\p{Letter}`, `\p{greek}`, `\p{LC}`, `\p{Latin}`}

var negatedFolding = []string{`\PL`, `\P{Greek}`, `\p{^Common}`, `\P{Inherited}`, `\P{M}`}

var posix = []string{
	"[:alnum:]", "[:alpha:]", "[:ascii:]", "[:blank:]", "[:cntrl:]", "[:digit:]", "[:graph:]",
	"[:lower:]", "[:print:]", "[:punct:]", "[:space:]", "[:upper:]", "[:word:]", "[:xdigit:]",
	"[:^alpha:]", "[:^word:]", "[:^space:]", "[:^lower:]", "[:^ascii:]", "[:^punct:]",
}

var ranges = []string{"a-c", "A-Z", "a-z", "0-9", " -~", "é-ж", "Α-ω", `\x{80}-\x{24ff}`, "k-s",
	`\x00-\x{10FFFF}`, "J-L", `\x{100}-\x{17f}`, "+--", "!-/", `\x{7f}-\x{10ffff}`, `\x{d7ff}-\x{e000}`}

var assertions = []string{"^", "$", `\A`, `\z`, `\b`, `\B`}

var repeats = []string{"*", "+", "?", "*?", "+?", "??", "{2}", "{0}", "{0,1}", "{1,}", "{2,3}",
	"{0,2}?", "{3,}?", "{1}", "{,2}", "{", "{2"}

var groups = []string{"(", "(?:", "(?P<n>", "(?<m>", "(?i:", "(?s:", "(?m:", "(?U:", "(?i-s:",
	"(?-i:", "(?ms:", "(?-m:"}

var flags = []string{"(?i)", "(?s)", "(?m)", "(?U)", "(?-i)", "(?im-s)", "(?i-i)", "(?:)", "()"}

// Pieces of syntax in any order, most of them wrong.
var pieces = []string{"(", ")", "|", "[", "]", "^", "-", "{", "}", ",", "1", "2", "0", "1000", "1001", "*",
	"+", "?", "(?", "(?:", "(?P<", "(?<", ">", "!", "=", "i", ":", `\`, `\Q`, `\E`, `\p`, `\P`, "{L}", "{Greek}",
	`\x`, "{41}", "41", `\1`, `\8`, `\12`, `\z`, `\Z`, `\C`, `\b`, `\d`, "[:", ":]", "alpha", "a", "b", "é", ".",
	"$", "#", "<", "&&", "-m", "s", "U", `\G`, `\R`, `\X`, `\K`, `\h`, `\N`, `\k<n>`, `\g1`, `\e`, `\cA`, " ", "~~"}

type maker struct {
	*rand.Rand
}

func newMaker(seed int64) maker {
	return maker{rand.New(rand.NewSource(seed))}
}

func (m maker) one(of []string) string {
	return of[m.Intn(len(of))]
}

func (m maker) class() string {
	var b strings.Builder
	b.WriteString("[")
	if m.Intn(3) == 0 {
		b.WriteString("^")
	}
	for n := 1 + m.Intn(3); n > 0; n-- {
		switch m.Intn(6) {
		case 0:
			b.WriteString(m.one(posix))
		case 1:
			b.WriteString(m.one(classes))
		case 2:
			b.WriteString(m.one(folding))
		case 3:
			b.WriteString(m.one(ranges))
		default:
			b.WriteString(m.one(members))
		}
	}
	b.WriteString("]")
	return b.String()
}

func (m maker) atom(depth int) string {
	switch m.Intn(12) {
	case 0, 1:
		return m.class()
	case 2:
		return m.one(classes)
	case 3:
		return m.one([]string{m.one(folding), m.one(negatedFolding)})
	case 4:
		return "."
	case 5:
		return m.one(assertions)
	case 6, 7:
		if depth > 0 {
			return m.one(groups) + m.alternatives(depth-1) + ")"
		}
		return m.one(members)
	case 8:
		return m.one(flags)
	case 9:
		return `\Q` + m.one([]string{"a.b", "*", "[", "k|s", ""}) + `\E`
	default:
		return m.one(members)
	}
}

func (m maker) concat(depth int) string {
	var b strings.Builder
	for n := m.Intn(5); n > 0; n-- {
		b.WriteString(m.atom(depth))
		if m.Intn(3) == 0 {
			b.WriteString(m.one(repeats))
		}
	}
	return b.String()
}

func (m maker) alternatives(depth int) string {
	parts := []string{m.concat(depth)}
	for m.Intn(3) == 0 {
		parts = append(parts, m.concat(depth))
	}
	return strings.Join(parts, "|")
}

// pattern is mostly right.
func (m maker) pattern() string {
	prefix := ""
	if m.Intn(3) == 0 {
		prefix = m.one([]string{"(?i)", "(?m)", "(?s)", "(?ims)", "(?U)"})
	}
	return prefix + m.alternatives(3)
}

// noise is mostly wrong.
func (m maker) noise() string {
	var b strings.Builder
	for n := 1 + m.Intn(7); n > 0; n-- {
		b.WriteString(m.one(pieces))
	}
	return b.String()
}

func (m maker) texts(n int) []string {
	texts := make([]string, 0, n+1)
	texts = append(texts, "")
	for ; n > 0; n-- {
		var b strings.Builder
		pool := runes
		if m.Intn(2) == 0 {
			pool = runes[:14]
		}
		for k := 1 + m.Intn(7); k > 0; k-- {
			b.WriteRune(pool[m.Intn(len(pool))])
		}
		texts = append(texts, b.String())
	}
	return texts
}
