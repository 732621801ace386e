/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_names: the names of Unicode properties.
 *
 * Layer: rules. The categories, their long names and the scripts that Go and PCRE2 10.42 both know;
 * a script of a later Unicode is refused. PCRE2 is asked for sc:NAME, the script itself: a bare
 * name would also mean characters that the script only uses.
 */
#include "rules/pattern/regex_syntax.h"

/* What (?i) adds to a property: the characters outside that fold to one inside (Go's FoldCategory
 * and FoldScript). */
#define FOLDS_L "\xCD\x85"                     /* U+0345 */
#define FOLDS_M "\xCE\x99\xCE\xB9\xE1\xBE\xBE" /* U+0399 U+03B9 U+1FBE */
#define FOLDS_GREEK "\xC2\xB5\xCD\x85"         /* U+00B5 U+0345 */
#define FOLDS_COMMON "\xCE\x9C\xCE\xBC"        /* U+039C U+03BC */
#define FOLDS_ASCII "\xC5\xBF\xE2\x84\xAA"     /* U+017F U+212A */

static const char *const categories[] = {
    "C",  "Cc", "Cf", "Cn", "Co", "Cs", "L",  "Ll", "Lm", "Lo", "Lt", "Lu", "M",
    "Mc", "Me", "Mn", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Pe", "Pf", "Pi",
    "Po", "Ps", "S",  "Sc", "Sk", "Sm", "So", "Z",  "Zl", "Zp", "Zs",
};

struct alias {
    const char *name;
    const char *category;
};

static const struct alias aliases[] = {
    {"LC", "L&"},
    {"Cased_Letter", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Combining_Mark", "M"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
    {"cntrl", "Cc"},
    {"digit", "Nd"},
    {"punct", "P"},
};

static const char *const scripts[] = {
    "sc:Adlam",
    "sc:Ahom",
    "sc:Anatolian_Hieroglyphs",
    "sc:Arabic",
    "sc:Armenian",
    "sc:Avestan",
    "sc:Balinese",
    "sc:Bamum",
    "sc:Bassa_Vah",
    "sc:Batak",
    "sc:Bengali",
    "sc:Bhaiksuki",
    "sc:Bopomofo",
    "sc:Brahmi",
    "sc:Braille",
    "sc:Buginese",
    "sc:Buhid",
    "sc:Canadian_Aboriginal",
    "sc:Carian",
    "sc:Caucasian_Albanian",
    "sc:Chakma",
    "sc:Cham",
    "sc:Cherokee",
    "sc:Chorasmian",
    "sc:Common",
    "sc:Coptic",
    "sc:Cuneiform",
    "sc:Cypriot",
    "sc:Cypro_Minoan",
    "sc:Cyrillic",
    "sc:Deseret",
    "sc:Devanagari",
    "sc:Dives_Akuru",
    "sc:Dogra",
    "sc:Duployan",
    "sc:Egyptian_Hieroglyphs",
    "sc:Elbasan",
    "sc:Elymaic",
    "sc:Ethiopic",
    "sc:Georgian",
    "sc:Glagolitic",
    "sc:Gothic",
    "sc:Grantha",
    "sc:Greek",
    "sc:Gujarati",
    "sc:Gunjala_Gondi",
    "sc:Gurmukhi",
    "sc:Han",
    "sc:Hangul",
    "sc:Hanifi_Rohingya",
    "sc:Hanunoo",
    "sc:Hatran",
    "sc:Hebrew",
    "sc:Hiragana",
    "sc:Imperial_Aramaic",
    "sc:Inherited",
    "sc:Inscriptional_Pahlavi",
    "sc:Inscriptional_Parthian",
    "sc:Javanese",
    "sc:Kaithi",
    "sc:Kannada",
    "sc:Katakana",
    "sc:Kayah_Li",
    "sc:Kharoshthi",
    "sc:Khitan_Small_Script",
    "sc:Khmer",
    "sc:Khojki",
    "sc:Khudawadi",
    "sc:Lao",
    "sc:Latin",
    "sc:Lepcha",
    "sc:Limbu",
    "sc:Linear_A",
    "sc:Linear_B",
    "sc:Lisu",
    "sc:Lycian",
    "sc:Lydian",
    "sc:Mahajani",
    "sc:Makasar",
    "sc:Malayalam",
    "sc:Mandaic",
    "sc:Manichaean",
    "sc:Marchen",
    "sc:Masaram_Gondi",
    "sc:Medefaidrin",
    "sc:Meetei_Mayek",
    "sc:Mende_Kikakui",
    "sc:Meroitic_Cursive",
    "sc:Meroitic_Hieroglyphs",
    "sc:Miao",
    "sc:Modi",
    "sc:Mongolian",
    "sc:Mro",
    "sc:Multani",
    "sc:Myanmar",
    "sc:Nabataean",
    "sc:Nandinagari",
    "sc:New_Tai_Lue",
    "sc:Newa",
    "sc:Nko",
    "sc:Nushu",
    "sc:Nyiakeng_Puachue_Hmong",
    "sc:Ogham",
    "sc:Ol_Chiki",
    "sc:Old_Hungarian",
    "sc:Old_Italic",
    "sc:Old_North_Arabian",
    "sc:Old_Permic",
    "sc:Old_Persian",
    "sc:Old_Sogdian",
    "sc:Old_South_Arabian",
    "sc:Old_Turkic",
    "sc:Old_Uyghur",
    "sc:Oriya",
    "sc:Osage",
    "sc:Osmanya",
    "sc:Pahawh_Hmong",
    "sc:Palmyrene",
    "sc:Pau_Cin_Hau",
    "sc:Phags_Pa",
    "sc:Phoenician",
    "sc:Psalter_Pahlavi",
    "sc:Rejang",
    "sc:Runic",
    "sc:Samaritan",
    "sc:Saurashtra",
    "sc:Sharada",
    "sc:Shavian",
    "sc:Siddham",
    "sc:SignWriting",
    "sc:Sinhala",
    "sc:Sogdian",
    "sc:Sora_Sompeng",
    "sc:Soyombo",
    "sc:Sundanese",
    "sc:Syloti_Nagri",
    "sc:Syriac",
    "sc:Tagalog",
    "sc:Tagbanwa",
    "sc:Tai_Le",
    "sc:Tai_Tham",
    "sc:Tai_Viet",
    "sc:Takri",
    "sc:Tamil",
    "sc:Tangsa",
    "sc:Tangut",
    "sc:Telugu",
    "sc:Thaana",
    "sc:Thai",
    "sc:Tibetan",
    "sc:Tifinagh",
    "sc:Tirhuta",
    "sc:Toto",
    "sc:Ugaritic",
    "sc:Vai",
    "sc:Vithkuqi",
    "sc:Wancho",
    "sc:Warang_Citi",
    "sc:Yezidi",
    "sc:Yi",
    "sc:Zanabazar_Square",
};

/* The next character that counts, in lower case; 0 at the end. */
static char next_letter(struct gr_str *name)
{
    while (name->n > 0) {
        char c = name->p[0];

        *name = gr_str_skip(*name, 1);
        if (c == '\0')
            return '\1'; /* in no name */
        if (c != '_' && c != '-' && c != ' ')
            return (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
    }
    return '\0';
}

static bool is_name(struct gr_str name, const char *known)
{
    struct gr_str other = gr_str_from(known);
    char c;

    do {
        c = next_letter(&name);
        if (c != next_letter(&other))
            return false;
    } while (c != '\0');
    return true;
}

static bool find_category(struct gr_str name, struct gr_regex_property *property)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(categories) && !property->name; i++) {
        if (is_name(name, categories[i]))
            property->name = categories[i];
    }
    for (size_t i = 0; i < GR_ARRAY_LEN(aliases) && !property->name; i++) {
        if (is_name(name, aliases[i].name))
            property->name = aliases[i].category;
    }
    if (!property->name)
        return false;
    if (strcmp(property->name, "L") == 0)
        property->folds = FOLDS_L;
    if (strcmp(property->name, "M") == 0 || strcmp(property->name, "Mn") == 0)
        property->folds = FOLDS_M;
    property->is_cased = strcmp(property->name, "Lu") == 0 || strcmp(property->name, "Ll") == 0 ||
                         strcmp(property->name, "Lt") == 0;
    return true;
}

static bool find_script(struct gr_str name, struct gr_regex_property *property)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(scripts) && !property->name; i++) {
        if (is_name(name, scripts[i] + sizeof("sc:") - 1))
            property->name = scripts[i];
    }
    if (is_name(name, "Greek"))
        property->folds = FOLDS_GREEK;
    if (is_name(name, "Common"))
        property->folds = FOLDS_COMMON;
    if (is_name(name, "Inherited"))
        property->folds = FOLDS_M;
    return property->name != NULL;
}

bool gr_regex_find_property(struct gr_str name, struct gr_regex_property *out_property)
{
    *out_property = (struct gr_regex_property){.folds = "", .hi = GR_RUNE_MAX};
    if (is_name(name, "Any"))
        return true;
    if (is_name(name, "ASCII")) {
        out_property->hi = 0x7F;
        out_property->folds = FOLDS_ASCII;
        return true;
    }
    if (is_name(name, "Assigned")) {
        out_property->name = "Cn";
        out_property->negated = true;
        return true;
    }
    return find_category(name, out_property) || find_script(name, out_property);
}
