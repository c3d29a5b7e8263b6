/* vasprun.c - VASP's vasprun.xml, read with libxml2's push parser: one ionic step in memory.
 * The only file that names libxml2. Elements are recognised by their whole parent path (table
 * `rules`), never by name alone: `energy`, `structure` and `positions` occur at several depths.
 * Bytes come in by take(): it splits runs that stand behind one another, converts ISO-8859-1 and
 * keeps from libxml2 what would make it wait or hold without end. What the texts become is in
 * vasprun_run.c. Not here: eigenvalues, density of states, projections (skipped unread). */
#include "parsers/vasprun_run.h"

#include <ctype.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stream.h"
#include "parsers/parser.h"
#include "parsers/text.h"
#include "parsers/vasp_text.h"

enum {
    CHUNK = 65536,
    HEAD = 256,          /* the XML declaration stands within so many bytes                      */
    REFERENCE_MAX = 64,  /* bytes of "&name;"                                                    */
    DEPTH_MAX = 250,     /* of nested elements                                                   */
    LEAF_MAX = 4096,     /* bytes of a text that is used                                         */
    QUIET_MAX = 1 << 18, /* libxml2 keeps a tag, comment or DTD until its end: so long at most  */
    NAMES_MAX = 4096     /* different names of elements and attributes; VASP has some hundreds  */
};
static const char ROOT_END[] = "</modeling>";

typedef mlk_vasprun_node node;

/* A child `element` (with attribute name="attr"; NULL: no name attribute, "*": any) of `parent`
 * becomes `kind`; leaf: its text is wanted. The rules of one parent stand together. */
typedef struct rule {
    node parent;
    const char *element, *attr;
    node kind;
    bool leaf;
} rule;

// clang-format off
static const rule rules[] = {
    {MLK_VR_ROOT, "modeling", "*", MLK_VR_MODELING, false},
    {MLK_VR_MODELING, "generator", "*", MLK_VR_GENERATOR, false},
    {MLK_VR_MODELING, "incar", "*", MLK_VR_INCAR, false},
    {MLK_VR_MODELING, "parameters", "*", MLK_VR_PARAMETERS, false},
    {MLK_VR_MODELING, "atominfo", "*", MLK_VR_ATOMINFO, false},
    {MLK_VR_MODELING, "calculation", "*", MLK_VR_CALCULATION, false},
    {MLK_VR_MODELING, "v", "LVDW", MLK_VR_LVDW, true}, /* VASP 5.2 */
    {MLK_VR_MODELING, "structure", NULL, MLK_VR_ML_STRUCTURE, false},
    {MLK_VR_GENERATOR, "i", "program", MLK_VR_PROGRAM, true},
    {MLK_VR_GENERATOR, "i", "version", MLK_VR_VERSION, true},
    {MLK_VR_INCAR, "i", "SYSTEM", MLK_VR_SYSTEM, true},
    {MLK_VR_INCAR, "i", "NELM", MLK_VR_NELM_INCAR, true},
    {MLK_VR_INCAR, "i", "GGA", MLK_VR_GGA, true}, /* parameters come later and win */
    {MLK_VR_INCAR, "i", "METAGGA", MLK_VR_METAGGA, true},
    {MLK_VR_INCAR, "i", "IVDW", MLK_VR_IVDW, true},
    {MLK_VR_INCAR, "i", "LVDW", MLK_VR_LVDW, true},
    {MLK_VR_INCAR, "v", "LVDW", MLK_VR_LVDW, true},
    {MLK_VR_PARAMETERS, "separator", "electronic", MLK_VR_ELECTRONIC, false},
    {MLK_VR_PARAMETERS, "separator", "*", MLK_VR_SECTION, false},
    {MLK_VR_PARAMETERS, "i", "LDAU", MLK_VR_LDAU, true},
    {MLK_VR_PARAMETERS, "i", "IVDW", MLK_VR_IVDW, true},
    {MLK_VR_PARAMETERS, "i", "LVDW", MLK_VR_LVDW, true},
    {MLK_VR_ELECTRONIC, "separator", "electronic convergence", MLK_VR_ELECTRONIC, false},
    {MLK_VR_ELECTRONIC, "i", "NELM", MLK_VR_NELM, true}, /* "linear response parameters" holds another MLK_VR_NELM */
    {MLK_VR_ELECTRONIC, "i", "ENMAX", MLK_VR_ENCUT, true}, /* MLK_VR_ENCUT of MLK_VR_INCAR, or its default */
    {MLK_VR_ELECTRONIC, "separator", "electronic exchange-correlation", MLK_VR_SECTION, false},
    {MLK_VR_SECTION, "separator", "*", MLK_VR_SECTION, false},
    {MLK_VR_SECTION, "i", "TEBEG", MLK_VR_TEBEG, true},
    {MLK_VR_SECTION, "i", "GGA", MLK_VR_GGA, true},
    {MLK_VR_SECTION, "i", "METAGGA", MLK_VR_METAGGA, true},
    {MLK_VR_SECTION, "i", "IVDW", MLK_VR_IVDW, true},
    {MLK_VR_SECTION, "i", "LDAU", MLK_VR_LDAU, true}, /* VASP 4.6 */
    {MLK_VR_SECTION, "i", "LHFCALC", MLK_VR_HYBRID, true},
    {MLK_VR_SECTION, "i", "AEXX", MLK_VR_AEXX, true},
    {MLK_VR_SECTION, "i", "HFSCREEN", MLK_VR_HFSCREEN, true},
    {MLK_VR_ATOMINFO, "atoms", "*", MLK_VR_N_ATOMS, true},
    {MLK_VR_ATOMINFO, "array", "atoms", MLK_VR_ATOMS, false},
    {MLK_VR_ATOMINFO, "array", "atomtypes", MLK_VR_TYPES, false},
    {MLK_VR_ATOMS, "set", "*", MLK_VR_ATOMS, false},
    {MLK_VR_ATOMS, "rc", "*", MLK_VR_ATOM_ROW, false},
    {MLK_VR_ATOM_ROW, "c", "*", MLK_VR_ATOM_CELL, true},
    {MLK_VR_TYPES, "set", "*", MLK_VR_TYPES, false},
    {MLK_VR_TYPES, "rc", "*", MLK_VR_TYPE_ROW, false},
    {MLK_VR_TYPE_ROW, "c", "*", MLK_VR_TYPE_CELL, true},
    {MLK_VR_CALCULATION, "scstep", "*", MLK_VR_SCSTEP, false},
    {MLK_VR_CALCULATION, "structure", "*", MLK_VR_STRUCTURE, false},
    {MLK_VR_CALCULATION, "varray", "forces", MLK_VR_FORCES, false},
    {MLK_VR_CALCULATION, "varray", "stress", MLK_VR_STRESS, false},
    {MLK_VR_CALCULATION, "energy", "*", MLK_VR_ENERGY, false},
    {MLK_VR_STRUCTURE, "crystal", "*", MLK_VR_CRYSTAL, false},
    {MLK_VR_STRUCTURE, "varray", "positions", MLK_VR_POSITIONS, false},
    {MLK_VR_CRYSTAL, "varray", "basis", MLK_VR_BASIS, false},
    {MLK_VR_BASIS, "v", "*", MLK_VR_BASIS_V, true},
    {MLK_VR_POSITIONS, "v", "*", MLK_VR_POSITIONS_V, true},
    {MLK_VR_FORCES, "v", "*", MLK_VR_FORCES_V, true},
    {MLK_VR_STRESS, "v", "*", MLK_VR_STRESS_V, true},
    {MLK_VR_ENERGY, "i", "e_fr_energy", MLK_VR_E_FR, true},
    {MLK_VR_ENERGY, "i", "e_wo_entrp", MLK_VR_E_WO, true},
    {MLK_VR_ENERGY, "i", "e_0_energy", MLK_VR_E_0, true},
    {MLK_VR_ENERGY, "i", "kinetic", MLK_VR_KINETIC, true},
};
// clang-format on

typedef struct state {
    mlk_vasprun_run run;
    xmlParserCtxtPtr xml;
    bool latin1;      /* the bytes are ISO-8859-1: converted here      */
    bool wide;        /* UTF-16 or UTF-32: zero bytes are normal       */
    bool ending, cut; /* the data are at their end; they end too early */
    bool root_seen, root_closed;
    size_t quiet;  /* bytes since libxml2 last called back          */
    long line0;    /* lines before this run                         */
    long end_line; /* of </modeling> and the blank lines behind it  */

    unsigned char rule_of[MLK_VR_N_NODE][2]; /* first rule with this parent, one behind the last */
    node stack[DEPTH_MAX];
    int depth;
    char leaf[LEAF_MAX]; /* text of the current leaf, cut if longer */
    size_t leaf_n;
    bool in_leaf, leaf_cut;
} state;

static long line_of(const state *p)
{
    return p->line0 + (long)xmlSAX2GetLineNumber(p->xml);
}

static void index_rules(state *p)
{
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        unsigned char *r = p->rule_of[rules[k].parent];
        if (r[1] == 0) r[0] = (unsigned char)k;
        r[1] = (unsigned char)(k + 1);
    }
}

static bool attr_is(const char *want, int n, const xmlChar **at)
{
    if (want && !strcmp(want, "*")) return true;
    for (int k = 0; k < n; k++) {
        const char *key = (const char *)at[5 * k], *v = (const char *)at[5 * k + 3];
        size_t len = (size_t)(at[5 * k + 4] - at[5 * k + 3]);
        if (strcmp(key, "name")) continue;
        while (len && v[len - 1] == ' ') len--; /* VASP 6.4.3 prints name="GGA    " */
        return want && strlen(want) == len && !strncmp(want, v, len);
    }
    return !want;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_ns, const xmlChar **ns, int n_at, int n_def, const xmlChar **at)
{
    state *p = user;
    (void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_def;
    p->quiet = 0;
    if (p->run.stop) return;
    if (p->depth + 1 >= DEPTH_MAX) {
        mlk_vasprun_run_fail(&p->run, MLK_EFORMAT, line_of(p),
                             "the elements are nested too deeply");
        return;
    }
    node parent = p->stack[p->depth], kind = MLK_VR_SKIP;
    bool leaf = false;
    for (size_t k = p->rule_of[parent][0]; k < p->rule_of[parent][1]; k++)
        if (!strcmp((const char *)name, rules[k].element) && attr_is(rules[k].attr, n_at, at)) {
            kind = rules[k].kind;
            leaf = rules[k].leaf;
            break;
        }
    if (parent == MLK_VR_ROOT && kind != MLK_VR_MODELING) {
        char msg[128];
        snprintf(msg, sizeof msg, "the root element is <%.40s>, expected <modeling>", name);
        mlk_vasprun_run_fail(&p->run, MLK_EFORMAT, line_of(p), msg);
        mlk_err_hint(p->run.e, "this XML file was not written by VASP");
        return;
    }
    p->stack[++p->depth] = kind;
    p->in_leaf = leaf;
    p->leaf_n = 0;
    p->leaf_cut = false;
    if (kind == MLK_VR_MODELING) p->root_seen = true;
    if (kind == MLK_VR_SKIP) return;
    p->run.line = line_of(p);
    mlk_vasprun_run_begin(&p->run, kind);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    state *p = user;
    (void)name, (void)prefix, (void)uri;
    p->quiet = 0;
    if (p->run.stop || p->depth == 0) return;
    node kind = p->stack[p->depth--];
    if (kind == MLK_VR_SKIP) return;
    p->run.line = line_of(p);
    p->leaf[p->leaf_n] = 0;
    mlk_vasprun_run_end(&p->run, kind, p->in_leaf ? p->leaf : NULL, p->leaf_cut);
    p->in_leaf = false;
    if (kind == MLK_VR_MODELING) {
        p->root_closed = true;
        p->end_line = p->run.line;
    }
}

static void on_text(void *user, const xmlChar *text, int len)
{
    state *p = user;
    p->quiet = 0;
    if (p->run.stop || !p->in_leaf || len <= 0) return;
    size_t room = sizeof p->leaf - 1 - p->leaf_n, n = (size_t)len;
    if (n > room) {
        n = room;
        p->leaf_cut = true;
    }
    memcpy(p->leaf + p->leaf_n, text, n);
    p->leaf_n += n;
}

static xmlEntityPtr on_entity(void *user, const xmlChar *name)
{
    (void)user;
    return xmlGetPredefinedEntity(name); /* no other is ever known or loaded */
}

/* The parser runs in recovery mode because the title (SYSTEM) copies what a user typed: a stray '&'
 * or control character there is harmless. Every other error ends the reading. */
static void on_error(void *user, xmlErrorPtr err)
{
    state *p = user;
    if (p->run.stop || err->level < XML_ERR_ERROR) return;
    if (p->ending) {
        p->run.stop = p->cut = true; /* whatever is open stays open: see verdict */
        return;
    }
    node here = p->stack[p->depth];
    bool text = err->code == XML_ERR_INVALID_CHAR || err->code == XML_ERR_NAME_REQUIRED ||
                err->code == XML_ERR_ENTITYREF_SEMICOL_MISSING ||
                err->code == XML_ERR_UNDECLARED_ENTITY || err->code == XML_WAR_UNDECLARED_ENTITY;
    if (text && (here == MLK_VR_SYSTEM || here == MLK_VR_SKIP)) return;
    char msg[256];
    mlk_text_trim(msg, sizeof msg, err->message ? err->message : "not well formed");
    p->run.stop = true;
    p->run.status = MLK_EFORMAT;
    MLK_FAIL(p->run.e, MLK_EFORMAT, "not well-formed XML: %s", msg);
    mlk_err_at(p->run.e, p->run.path, line_of(p));
    if (err->code == XML_ERR_RESERVED_XML_NAME)
        mlk_err_hint(p->run.e,
                     "another run begins here and the one before it was cut off; give each "
                     "run a file of its own");
}

/* Conversion between encodings complains without a parser, to stderr if nobody listens. */
static void on_stray_error(void *user, xmlErrorPtr err)
{
    (void)user, (void)err;
}

/* Does the XML declaration name ISO-8859-1, as VASP's does? Then this file converts it, which takes
 * libxml2 a fifth of the whole reading; every other encoding is left to libxml2. */
static bool declares_latin1(const char *s, size_t n)
{
    char head[HEAD];
    if (n < 5 || memcmp(s, "<?xml", 5)) return false;
    snprintf(head, sizeof head, "%.*s", (int)(n < sizeof head ? n : sizeof head - 1), s);
    char *end = strstr(head, "?>");
    if (!end) return false;
    *end = 0;
    return strstr(head, "encoding=\"ISO-8859-1\"") || strstr(head, "encoding='ISO-8859-1'");
}

static bool ascii(const char *s, size_t n)
{
    uint64_t all = 0, w;
    size_t k = 0;
    for (; k + sizeof w <= n; k += sizeof w) {
        memcpy(&w, s + k, sizeof w);
        all |= w;
    }
    for (; k < n; k++) all |= (unsigned char)s[k];
    return !(all & 0x8080808080808080u);
}

static void push_utf8(state *p, const char *s, size_t n)
{
    xmlParseChunk(p->xml, s, (int)n, 0);
}

/* Hand bytes to libxml2, in UTF-8 if they are known to be ISO-8859-1. */
static void push_bytes(state *p, const char *s, size_t n)
{
    char u[2048];
    p->quiet += n;
    if (!p->latin1 || ascii(s, n)) {
        if (n) push_utf8(p, s, n);
    } else {
        for (size_t k = 0, m = 0; k < n; k++) {
            unsigned char c = (unsigned char)s[k];
            if (c >= 0x80) u[m++] = (char)(0xc0 | c >> 6);
            u[m++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
            if (m + 2 > sizeof u || k + 1 == n) {
                push_utf8(p, u, m);
                m = 0;
            }
        }
    }
}

/* "&name;" or "&#65;" */
static bool is_reference(const char *s, size_t n)
{
    size_t k = n > 1 && s[1] == '#' ? 2 : 1, from = k;
    while (k < n && k < REFERENCE_MAX &&
           (isalnum((unsigned char)s[k]) || (s[k] && strchr("._-", s[k]))))
        k++;
    return k > from && k < n && s[k] == ';';
}

/* libxml2 would search the whole rest of the file for the ';' of a lone '&' (a title such as
 * "S & P"). It gets a reference to nothing instead, which is an error where text counts. */
static void push_references(state *p, const char *s, size_t n)
{
    static const char nothing[] = "&lone-ampersand;";
    const char *end = s + n, *amp;
    for (const char *from = s; !p->wide && (amp = memchr(from, '&', (size_t)(end - from)));) {
        from = amp + 1;
        if (is_reference(amp, (size_t)(end - amp))) continue;
        push_bytes(p, s, (size_t)(amp - s));
        push_bytes(p, nothing, sizeof nothing - 1);
        s = from;
    }
    push_bytes(p, s, (size_t)(end - s));
}

/* What an evil or damaged file could make libxml2 hold in memory or do forever is refused. */
static void push(state *p, const char *s, size_t n)
{
    const char *nul = p->wide ? NULL : memchr(s, 0, n);
    push_references(p, s, nul ? (size_t)(nul - s) : n);
    if (p->run.stop) return;
    if (nul) {
        mlk_vasprun_run_fail(&p->run, MLK_EFORMAT, line_of(p), "zero bytes instead of text");
        mlk_err_hint(p->run.e,
                     "the disk was full or the machine stopped while the file was written");
    } else if (p->quiet > QUIET_MAX || xmlDictSize(p->xml->dict) > NAMES_MAX) {
        mlk_vasprun_run_fail(&p->run, MLK_EFORMAT, line_of(p),
                             p->quiet > QUIET_MAX
                                 ? "a tag, comment or DTD is longer than 256 kB"
                                 : "more than 4096 different names of elements and attributes");
        mlk_err_hint(p->run.e, "the file is damaged, or was not written by VASP");
    }
}

static void forget_run(state *p)
{
    p->depth = 0;
    p->stack[0] = MLK_VR_ROOT;
    p->in_leaf = p->root_seen = p->root_closed = false;
    mlk_vasprun_run_reset(&p->run);
    p->quiet = 0;
}

static void free_xml(state *p)
{
    if (!p->xml) return;
    if (p->xml->myDoc) xmlFreeDoc(p->xml->myDoc);
    xmlFreeParserCtxt(p->xml);
    p->xml = NULL;
}

/* A new XML document begins with these bytes, the first of the file or behind </modeling>. */
static void begin_run(state *p, const char *head, size_t n)
{
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_text,
                         .cdataBlock = on_text,
                         .getEntity = on_entity,
                         .serror = (xmlStructuredErrorFunc)on_error};
    free_xml(p);
    forget_run(p);
    p->latin1 = declares_latin1(head, n);
    p->wide = n > 3 && (!head[0] || !head[1] || (unsigned char)head[0] >= 0xfe);
    p->xml = xmlCreatePushParserCtxt(&sax, p, NULL, 0, p->run.path);
    if (!p->xml) {
        p->run.stop = true;
        p->run.status = MLK_FAIL(p->run.e, MLK_ENOMEM, "no memory to read %s", p->run.path);
        return;
    }
    xmlCtxtUseOptions(p->xml, XML_PARSE_BIG_LINES | XML_PARSE_NONET | XML_PARSE_RECOVER |
                                  (p->latin1 ? XML_PARSE_IGNORE_ENC : 0));
}

/* Behind the end of the root: blanks, or another run in the same file. Returns the bytes used. */
static size_t between_runs(state *p, const char *s, size_t n, bool last)
{
    size_t k = 0;
    for (; k < n && strchr(" \t\r\n", s[k]) && s[k]; k++) p->end_line += s[k] == '\n';
    if (k) push(p, s, k);
    if (k == n || (!last && n - k < HEAD)) return k;
    if ((n - k > 5 && !memcmp(s + k, "<?xml ", 6)) ||
        (n - k > 8 && !memcmp(s + k, "<modeling", 9))) {
        xmlParseChunk(p->xml, "", 0, 1);
        if (p->run.stop) return n;
        p->run.number = p->run.number ? p->run.number + 1 : 2;
        p->line0 = p->end_line - 1;
        mlk_log(MLK_LOG_WARN, "%s:%ld: run %d of this file begins; its steps are read too",
                p->run.path, p->end_line, p->run.number);
        begin_run(p, s + k, n - k);
        return k;
    }
    push(p, s + k, n - k); /* libxml2 says what is wrong with it */
    return n;
}

/* Where ROOT_END begins in s, or a beginning of it that the bytes end with; NULL if nowhere. */
static const char *find_root_end(const char *s, size_t n)
{
    const size_t len = sizeof ROOT_END - 1;
    const char *end = s + n;
    /* 'd' is rare, the fifth byte of ROOT_END */
    for (const char *d = s; (d = memchr(d, ROOT_END[4], (size_t)(end - d))); d++)
        if (d - s >= 4 &&
            !memcmp(d - 4, ROOT_END, (size_t)(end - d) + 4 < len ? (size_t)(end - d) + 4 : len))
            return d - 4;
    for (size_t m = n < 4 ? n : 4; m > 0; m--)
        if (!memcmp(end - m, ROOT_END, m)) return end - m;
    return NULL;
}

/* Parse bytes; returns how many are done with: all, unless the rest is too short to be understood,
 * which cannot be at the end of the file (last). */
static size_t take(state *p, const char *s, size_t n, bool last)
{
    if (!p->xml) {
        if (n < HEAD && !last) return 0;
        begin_run(p, s, n);
    }
    for (size_t at = 0; !p->run.stop;) {
        if (p->root_closed) {
            at += between_runs(p, s + at, n - at, last);
            if (p->root_closed) return at;
        }
        const char *end = find_root_end(s + at, n - at);
        size_t m = end ? (size_t)(end - (s + at)) : n - at, len = sizeof ROOT_END - 1;
        bool whole = end && n - at - m >= len;
        if (whole)
            m += len;
        else if (last)
            m = n - at;
        else if (m > REFERENCE_MAX) {
            const char *amp = memchr(s + at + m - REFERENCE_MAX, '&', REFERENCE_MAX);
            if (amp) m = (size_t)(amp - (s + at));
        }
        push(p, s + at, m);
        at += m;
        if (at == n || !whole) return at;
    }
    return n;
}

/* Feed the file to the parser. p->cut: the data end early. */
static mlk_status feed(state *p, mlk_stream *in)
{
    char *buf = mlk_alloc(CHUNK + HEAD + sizeof ROOT_END, 1);
    if (!buf) return MLK_FAIL(p->run.e, MLK_ENOMEM, "no memory to read %s", p->run.path);
    mlk_status s = MLK_OK;
    size_t held = 0; /* bytes at the front of buf that take() left */
    while (!s && !p->run.stop) {
        size_t got = 0;
        mlk_err why = {0};
        s = mlk_stream_read(in, buf + held, CHUNK, &got, &why);
        if (s && s != MLK_EFORMAT) *p->run.e = why;
        if (s && s != MLK_EFORMAT) break;
        bool last = s || got == 0;
        size_t n = held + got, used = take(p, buf, n, last);
        if (s && !p->run.stop) p->cut = true;
        if (last) break;
        held = n - used;
        memmove(buf, buf + used, held);
    }
    mlk_free(buf);
    p->ending = true;
    if (!s && !p->run.stop) xmlParseChunk(p->xml, "", 0, 1);
    return s == MLK_EFORMAT ? MLK_OK : s;
}

/* What a file without an error still may lack. */
static mlk_status verdict(state *p)
{
    long line = line_of(p);
    char run[32] = "";
    if (p->run.number) snprintf(run, sizeof run, " of run %d", p->run.number);
    if (p->root_closed && !p->cut && p->run.n_out) {
        if (p->run.n_ml)
            mlk_log(MLK_LOG_INFO,
                    "%s: %ld DFT steps read; %ld steps predicted by VASP's own force field skipped",
                    p->run.path, p->run.n_out, p->run.n_ml);
        return MLK_OK;
    }
    if (!p->root_seen) {
        MLK_FAIL(p->run.e, MLK_EFORMAT,
                 "holds no <modeling> element: not a vasprun.xml, or cut off");
        return mlk_err_at(p->run.e, p->run.path, line);
    }
    if (!p->root_closed || p->cut) {
        if (p->depth > 1 && p->run.n_calc && p->stack[2] == MLK_VR_CALCULATION)
            MLK_FAIL(p->run.e, MLK_EFORMAT,
                     "the file ends early, inside ionic step %ld%s; %ld complete steps before it",
                     p->run.n_calc, run, p->run.n_out);
        else
            MLK_FAIL(p->run.e, MLK_EFORMAT, "the file ends early, after %ld complete ionic steps",
                     p->run.n_out);
        mlk_vasp_early_end(p->run.n_out, p->run.e);
        return mlk_err_at(p->run.e, p->run.path, line);
    }
    MLK_FAIL(p->run.e, MLK_EFORMAT,
             "holds no ionic step with a structure (%ld calculations, %ld of "
             "them without structure)",
             p->run.n_calc, p->run.n_no_structure);
    mlk_err_hint(p->run.e, "GW, optics and similar runs carry no forces; use the ground-state run");
    return mlk_err_at(p->run.e, p->run.path, line);
}

static mlk_status parse(const char *path, mlk_frame_fn fn, void *user, mlk_err *e)
{
    mlk_err own = {0};
    state *p = mlk_alloc(1, sizeof *p);
    if (!p) return MLK_FAIL(e, MLK_ENOMEM, "no memory to read %s", path);
    p->run.path = path;
    p->run.fn = fn;
    p->run.user = user;
    p->run.e = e ? e : &own;
    index_rules(p);
    xmlSetStructuredErrorFunc(NULL, (xmlStructuredErrorFunc)on_stray_error);
    mlk_status s = MLK_OK;
    mlk_stream *in = NULL;
    MLK_GO(mlk_stream_open(&in, path, p->run.e));
    MLK_GO(feed(p, in));
    s = p->run.status;
    if (!p->run.stop || p->cut) s = verdict(p);
    if (s == MLK_EFORMAT && p->run.n_out && !p->cut && p->run.stop)
        mlk_err_prefix(p->run.e, "%ld complete ionic steps, then: ", p->run.n_out);
done:
    free_xml(p);
    xmlSetStructuredErrorFunc(NULL, NULL);
    mlk_stream_close(in);
    mlk_vasprun_run_free(&p->run);
    mlk_free(p);
    return s;
}

static bool sniff(const char *path, const char *head, size_t n)
{
    (void)path, (void)n;
    if (!strncmp(head, "\xef\xbb\xbf", 3)) head += 3;
    while (isspace((unsigned char)*head)) head++;
    return !strncmp(head, "<?xml", 5) || !strncmp(head, "<modeling", 9);
}

extern const mlk_parser mlk_parser_vasprun;
const mlk_parser mlk_parser_vasprun = {
    .name = "vasprun",
    .summary = "VASP vasprun.xml, 4.6 to 6.x",
    .rank = MLK_RANK_BEST,
    .sniff = sniff,
    .parse = parse,
};
