// SPDX-License-Identifier: Apache-2.0

// Command regexp writes a table of expressions and texts with what Go's own
// regexp says about them, for tests/peer/regexp/regex_table.c:
//
//	regexp -seed 1 -patterns 4000
//
// One record per line, in hexadecimal: "P <pattern> <compiles>", and below it
// "T <text> <matches as a whole> <matches somewhere>". An empty text is "-".
package main

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"regexp"
	"unicode"
)

func field(text string) string {
	if text == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(text))
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

// row writes what Go says of one pattern and these texts.
func row(out *bufio.Writer, pattern string, texts []string) {
	search, err := regexp.Compile(pattern)
	fmt.Fprintf(out, "P %s %d\n", field(pattern), bit(err == nil))
	if err != nil {
		return
	}
	full := regexp.MustCompile(`\A(?:` + quoteOpen(pattern) + `)\z`)
	for _, text := range texts {
		fmt.Fprintf(out, "T %s %d %d\n", field(text), bit(full.MatchString(text)),
			bit(search.MatchString(text)))
	}
}

// quoteOpen closes a \Q that the pattern leaves open, so that more can follow.
func quoteOpen(pattern string) string {
	if _, err := regexp.Compile(pattern + `x{2,1}`); err == nil {
		return pattern + `\E`
	}
	return pattern
}

// folds asks for every character that has other cases, alone and in a class.
func folds(out *bufio.Writer) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if unicode.SimpleFold(c) == c {
			continue
		}
		texts := []string{string(c), string(c - 1), string(c + 1)}
		for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
			texts = append(texts, string(other))
		}
		row(out, fmt.Sprintf(`(?i)\x{%x}`, c), texts)
		row(out, fmt.Sprintf(`(?i)[\x{%x}]`, c), texts)
	}
}

func main() {
	seed := flag.Int64("seed", 1, "of the random patterns")
	patterns := flag.Int("patterns", 4000, "how many random patterns")
	flag.Parse()

	out := bufio.NewWriter(os.Stdout)
	made := newMaker(*seed)
	for _, pattern := range written {
		row(out, pattern, append(made.texts(8), writtenTexts...))
	}
	folds(out)
	for i := 0; i < *patterns; i++ {
		row(out, made.pattern(), made.texts(12))
	}
	for i := 0; i < *patterns; i++ {
		row(out, made.noise(), made.texts(4))
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
