#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flamegraph.h"
#include "util.h"

#define WIDTH    1200
#define MARGIN   10
#define ROW      16
#define ABOVE    52   /* title and buttons */
#define BELOW    46   /* the line of what the mouse is on, and the key of colours */
#define NARROW   0.1  /* pixels: a frame below that is left out, and all that it called */
#define LETTER   7.1  /* pixels, about: of the font at its size */
#define MAX_TEXT 4096 /* of a name */

extern const char flame_script[], flame_script_end[];
__asm__(".pushsection .rodata\n"
	"flame_script: .incbin \"flamegraph.js\"\n"
	"flame_script_end: .byte 0\n"
	".popsection\n");

/* Tree */

static u32 *slot_of(const struct flame *f, u32 parent, const char *name, enum frame_kind kind)
{
	u64 key[] = { parent, (uintptr_t)name, kind };
	size_t i = hash_bytes(key, sizeof(key)) & (f->slots_room - 1);

	while (f->slots[i]) {
		const struct flame_node *n = &f->nodes[f->slots[i]];

		if (n->parent == parent && n->name == name && n->kind == kind)
			break;
		i = (i + 1) & (f->slots_room - 1);
	}
	return &f->slots[i];
}

static void grow(struct flame *f)
{
	f->room = f->room * 2 ?: 1024;
	f->nodes = xrealloc(f->nodes, f->room * sizeof(*f->nodes));
	if (!f->n)
		f->nodes[f->n++] = (struct flame_node){ .name = "all", .kind = FRAME_NOTE };
	free(f->slots);
	f->slots_room = 2 * f->room;
	f->slots = xcalloc(f->slots_room, sizeof(*f->slots));
	for (u32 i = 1; i < f->n; i++)
		*slot_of(f, f->nodes[i].parent, f->nodes[i].name, f->nodes[i].kind) = i;
}

u32 flame_add(struct flame *f, u32 parent, const char *name, enum frame_kind kind, u64 weight)
{
	u32 *slot;

	if (f->n == f->room)
		grow(f);
	slot = slot_of(f, parent, name, kind);
	if (!*slot) {
		*slot = f->n++;
		f->nodes[*slot] = (struct flame_node){
			.name = name, .kind = kind, .parent = parent, .next = f->nodes[parent].child
		};
		f->nodes[parent].child = *slot;
	}
	f->nodes[*slot].total += weight;
	return *slot;
}

void flame_count(struct flame *f, u64 weight)
{
	if (!f->n)
		grow(f);
	f->nodes[0].total += weight;
}

void flame_free(struct flame *f)
{
	free(f->nodes);
	free(f->slots);
	*f = (struct flame){};
}

/* Text */

/* For XML 1.0: markup, and what it does not allow in any form, as buf_safe() shows the rest. */
static void xml(struct buf *b, const char *s)
{
	struct buf safe = {};

	buf_safe(&safe, s, strnlen(s, MAX_TEXT));
	for (size_t i = 0; i < safe.len; i++) {
		const u8 *c = (const u8 *)safe.data + i;

		if (*c == '&')
			buf_str(b, "&amp;");
		else if (*c == '<')
			buf_str(b, "&lt;");
		else if (*c == '>')
			buf_str(b, "&gt;");
		else if (*c == '"')
			buf_str(b, "&quot;");
		else if (i + 2 < safe.len && c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe)
			buf_fmt(b, "\\xEF\\xBF\\x%02X", c[2]), i += 2; /* U+FFFE, U+FFFF */
		else
			buf_chr(b, *c);
	}
	buf_free(&safe);
}

static void thousands(struct buf *b, u64 v)
{
	if (v >= 1000)
		thousands(b, v / 1000);
	if (v >= 1000)
		buf_fmt(b, ",%03llu", v % 1000);
	else
		buf_u64(b, v);
}

/* As many characters as there is room for; UTF-8 is not cut in the middle. */
static void label(struct buf *b, const char *name, double width)
{
	size_t fits = width > 6 ? (width - 6) / LETTER : 0, len = 0, letters = 0;

	if (fits < 3)
		return;
	while (name[len] && (letters < fits || (name[len] & 0xc0) == 0x80))
		letters += (name[len++] & 0xc0) != 0x80;
	if (name[len]) { /* ".." stands for what is left out */
		letters = len = 0;
		while (letters < fits - 2 || (name[len] & 0xc0) == 0x80)
			letters += (name[len++] & 0xc0) != 0x80;
	}

	char *part = xasprintf("%.*s%s", (int)len, name, name[len] ? ".." : "");

	xml(b, part);
	free(part);
}

/* Picture */

struct picture {
	struct flame *flame;
	struct buf *out;
	const char *unit;
	double scale; /* pixels for one of what is counted */
	u32 rows;
};

/* A hue for each kind, and a shade for each name: the same one wherever it appears. */
static void colour(struct buf *b, const struct flame_node *n)
{
	static const struct {
		u8 r, g, b, more[3];
	} of[FRAME_KINDS] = {
		[FRAME_TASK] = { 168, 182, 204, { 16, 16, 16 } },
		[FRAME_USER] = { 120, 190, 90, { 60, 36, 40 } },
		[FRAME_JIT] = { 80, 180, 185, { 40, 40, 40 } },
		[FRAME_KERNEL] = { 228, 130, 50, { 24, 60, 40 } },
		[FRAME_NOTE] = { 190, 190, 190, { 20, 20, 20 } },
	};
	u64 hash = hash_bytes(n->name, strlen(n->name));
	u32 shade = hash & 0xff, other = hash >> 8 & 0xff;

	buf_fmt(b, "rgb(%u,%u,%u)", of[n->kind].r + of[n->kind].more[0] * shade / 255,
		of[n->kind].g + of[n->kind].more[1] * shade / 255,
		of[n->kind].b + of[n->kind].more[2] * other / 255);
}

static void box(const struct picture *p, u32 i, u64 start, u32 depth)
{
	const struct flame_node *n = &p->flame->nodes[i];
	u64 all = p->flame->nodes[0].total;
	double x = MARGIN + start * p->scale, width = n->total * p->scale;
	u32 y = ABOVE + (p->rows - 1 - depth) * ROW;
	struct buf *b = p->out;

	buf_fmt(b, "<g class=\"f\" data-s=\"%llu\" data-v=\"%llu\"><title>", start, n->total);
	xml(b, n->name);
	buf_str(b, " (");
	thousands(b, n->total);
	buf_fmt(b,
		" %s, %.2f%%)</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\" "
		"fill=\"",
		p->unit, 100.0 * n->total / all, x, y, width, ROW - 1);
	colour(b, n);
	buf_fmt(b, "\"/><text x=\"%.2f\" y=\"%u\">", x + 3, y + ROW - 5);
	label(b, n->name, width);
	buf_str(b, "</text></g>\n");
}

static const struct flame *sorted;

static int by_name(const void *a, const void *b)
{
	const struct flame_node *x = &sorted->nodes[*(const u32 *)a],
				*y = &sorted->nodes[*(const u32 *)b];

	return strcmp(x->name, y->name) ?: (int)x->kind - (int)y->kind;
}

/* The children that are wide enough, by name; free() them. */
static u32 *children(const struct picture *p, u32 i, u32 *n)
{
	const struct flame *f = p->flame;
	u32 *list = NULL, room = 0;

	*n = 0;
	for (u32 c = f->nodes[i].child; c; c = f->nodes[c].next) {
		if (f->nodes[c].total * p->scale < NARROW)
			continue;
		if (*n == room)
			list = xrealloc(list, (room = room * 2 ?: 8) * sizeof(*list));
		list[(*n)++] = c;
	}
	sorted = f;
	if (*n)
		qsort(list, *n, sizeof(*list), by_name);
	return list;
}

/*
 * Calls box() for all that is wide enough, callers first; or only measures the depth. A stack is as
 * deep as its frames and a few notes: recursion is bounded.
 */
static void walk(struct picture *p, u32 i, u64 start, u32 depth, bool draw)
{
	u32 n, *list = children(p, i, &n);

	if (draw)
		box(p, i, start, depth);
	else if (depth + 1 > p->rows)
		p->rows = depth + 1;
	for (u32 c = 0; c < n; c++) {
		walk(p, list[c], start, depth + 1, draw);
		start += p->flame->nodes[list[c]].total;
	}
	free(list);
}

static void legend(struct buf *b, u32 y)
{
	static const struct {
		const char *text;
		enum frame_kind kind;
	} entries[] = {
		{ "kernel", FRAME_KERNEL },
		{ "user", FRAME_USER },
		{ "JIT", FRAME_JIT },
		{ "task", FRAME_TASK },
	};
	u32 x = WIDTH - MARGIN - 70 * ARRAY_SIZE(entries);

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++, x += 70) {
		const struct flame_node n = { .name = "", .kind = entries[i].kind };

		buf_fmt(b, "<rect x=\"%u\" y=\"%u\" width=\"11\" height=\"11\" fill=\"", x, y - 10);
		colour(b, &n);
		buf_fmt(b, "\"/><text x=\"%u\" y=\"%u\">%s</text>\n", x + 16, y, entries[i].text);
	}
}

void flame_svg(struct flame *f, struct buf *b, const char *title, const char *unit)
{
	struct picture p = { .flame = f, .out = b, .unit = unit };
	u32 height;

	flame_count(f, 0);
	p.scale = f->nodes[0].total ? (double)(WIDTH - 2 * MARGIN) / f->nodes[0].total : 0;
	walk(&p, 0, 0, 0, false);
	height = ABOVE + p.rows * ROW + BELOW;
	buf_fmt(b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" "
		"height=\"%u\">\n"
		"<style>text{font:12px "
		"monospace;fill:#222}#title{font-size:17px;text-anchor:middle}"
		".f{cursor:pointer}.f text{pointer-events:none}.f:hover rect{stroke:#222}"
		".below{opacity:.5}.found rect{fill:#d048c8}.hidden{display:none}"
		".button{cursor:pointer;fill:#36c}#matched{text-anchor:end}</style>\n"
		"<rect width=\"%d\" height=\"%u\" fill=\"#fbfaf5\"/>\n"
		"<text id=\"title\" x=\"%d\" y=\"24\">",
		WIDTH, height, WIDTH, height, WIDTH, height, WIDTH / 2);
	xml(b, title);
	buf_fmt(b,
		"</text>\n"
		"<text id=\"reset\" class=\"button hidden\" x=\"%d\" y=\"24\">Reset zoom</text>\n"
		"<text id=\"search\" class=\"button\" x=\"%d\" y=\"24\">Search</text>\n"
		"<text id=\"details\" x=\"%d\" y=\"%u\"> </text>\n"
		"<text id=\"matched\" x=\"%d\" y=\"%u\"> </text>\n",
		MARGIN, WIDTH - MARGIN - 50, MARGIN, height - 26, WIDTH - MARGIN, height - 26);
	legend(b, height - 8);
	buf_fmt(b, "<g id=\"frames\" data-x=\"%d\" data-width=\"%d\" data-letter=\"%.1f\">\n",
		MARGIN, WIDTH - 2 * MARGIN, LETTER);
	if (f->nodes[0].total)
		walk(&p, 0, 0, 0, true);
	buf_str(b, "</g>\n<script><![CDATA[\n");
	buf_mem(b, flame_script, flame_script_end - flame_script);
	buf_str(b, "]]></script>\n</svg>\n");
}
