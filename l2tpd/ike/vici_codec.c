/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vici_codec.c: the message format of vici (contract in vici.h), pure.
 *
 * Element: u8 type; a section, key/value or list has u8 length and name; a
 * key/value or item has be16 length and value. Trusts nothing: names without
 * NUL, sections closed in order, at most VICI_DEPTH_MAX deep, no nested list,
 * no item outside a list, nothing open at the end.
 */
#include <stdio.h>
#include <string.h>

#include "l2tpd/ike/vici.h"

static bool
put_name(struct wr *w, enum vici_element element, const char *name)
{
	const size_t n = strlen(name);

	if (n > VICI_NAME_MAX) {
		w->failed = true;
		return false;
	}
	wr_u8(w, (uint8_t)element);
	wr_u8(w, (uint8_t)n);
	return wr_bytes(w, name, n);
}

static bool
put_value(struct wr *w, const void *value, size_t n)
{
	if (n > VICI_VALUE_MAX) {
		w->failed = true;
		return false;
	}
	wr_be16(w, (uint16_t)n);
	return wr_bytes(w, value, n);
}

bool
vici_put_section(struct wr *w, const char *name)
{
	return put_name(w, VICI_SECTION_START, name);
}

bool
vici_put_section_end(struct wr *w)
{
	return wr_u8(w, VICI_SECTION_END);
}

bool
vici_put_bytes(struct wr *w, const char *name, const void *value, size_t n)
{
	return put_name(w, VICI_KEY_VALUE, name) && put_value(w, value, n);
}

bool
vici_put_text(struct wr *w, const char *name, const char *value)
{
	return vici_put_bytes(w, name, value, strlen(value));
}

bool
vici_put_u32(struct wr *w, const char *name, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return vici_put_text(w, name, text);
}

bool
vici_put_list(struct wr *w, const char *name)
{
	return put_name(w, VICI_LIST_START, name);
}

bool
vici_put_item(struct wr *w, const void *value, size_t n)
{
	return wr_u8(w, VICI_LIST_ITEM) && put_value(w, value, n);
}

bool
vici_put_list_end(struct wr *w)
{
	return wr_u8(w, VICI_LIST_END);
}

bool
vici_put_texts(struct wr *w, const char *name, const char *const *values)
{
	vici_put_list(w, name);
	for (; *values != NULL; values++)
		vici_put_item(w, *values, strlen(*values));
	return vici_put_list_end(w);
}

struct vici_reader
vici_reader_init(struct rd message)
{
	return (struct vici_reader){.rd = message};
}

static bool
read_name(struct rd *r, struct vici_token *t)
{
	uint8_t n;

	if (!rd_u8(r, &n) || !rd_bytes(r, t->name, n))
		return false;
	t->name[n] = '\0';
	if (memchr(t->name, '\0', n) != NULL)
		return rd_fail(r, "zero byte in a name");
	return true;
}

static bool
read_value(struct rd *r, struct vici_token *t)
{
	uint16_t n;

	return rd_be16(r, &n) && rd_sub(r, n, &t->value);
}

/* What may follow where: the message is a tree. */
static const char *
misplaced(const struct vici_reader *r, uint8_t element)
{
	if (r->in_list)
		return element == VICI_LIST_ITEM || element == VICI_LIST_END
		    ? NULL
		    : "not an item in a list";
	switch (element) {
	case VICI_SECTION_START:
		return r->depth < VICI_DEPTH_MAX ? NULL : "sections too deep";
	case VICI_SECTION_END:
		return r->depth > 0 ? NULL : "end of no section";
	case VICI_KEY_VALUE:
	case VICI_LIST_START:
		return NULL;
	case VICI_LIST_ITEM:
	case VICI_LIST_END:
		return "item outside a list";
	default:
		return "unknown element";
	}
}

bool
vici_next(struct vici_reader *r, struct vici_token *ret)
{
	struct vici_token t = {.value = rd_init(NULL, 0)};
	const char *why;
	uint8_t element;
	bool ok = true;

	if (!rd_ok(&r->rd))
		return false;
	if (r->rd.left == 0) {
		if (r->depth > 0 || r->in_list)
			rd_fail(&r->rd, "section or list is not closed");
		return false;
	}
	rd_u8(&r->rd, &element);
	why = misplaced(r, element);
	if (why != NULL)
		return rd_fail(&r->rd, why);
	t.element = (enum vici_element)element;
	switch (t.element) {
	case VICI_SECTION_START:
		ok = read_name(&r->rd, &t);
		r->depth++;
		break;
	case VICI_SECTION_END:
		r->depth--;
		break;
	case VICI_KEY_VALUE:
		ok = read_name(&r->rd, &t) && read_value(&r->rd, &t);
		break;
	case VICI_LIST_START:
		ok = read_name(&r->rd, &t);
		r->in_list = true;
		break;
	case VICI_LIST_ITEM:
		ok = read_value(&r->rd, &t);
		break;
	case VICI_LIST_END:
		r->in_list = false;
		break;
	}
	if (ok)
		*ret = t;
	return ok;
}

bool
vici_find(struct rd message, const char *key, struct rd *ret)
{
	struct vici_reader r = vici_reader_init(message);
	struct vici_token t;

	while (vici_next(&r, &t)) {
		if (t.element == VICI_KEY_VALUE && r.depth == 0 &&
		    strcmp(t.name, key) == 0) {
			*ret = t.value;
			return true;
		}
	}
	return false;
}

const char *
vici_text(struct rd value, char *buf, size_t buf_bytes)
{
	size_t n = 0;
	uint8_t c;

	while (n + 1 < buf_bytes && value.left > 0 && rd_u8(&value, &c) &&
	    c != '\0')
		buf[n++] = (char)c;
	if (buf_bytes > 0)
		buf[n] = '\0';
	return buf;
}

bool
vici_equals(struct rd value, const char *text)
{
	const size_t n = strlen(text);
	uint8_t c;
	size_t i;

	if (value.left != n)
		return false;
	for (i = 0; i < n; i++)
		if (!rd_u8(&value, &c) || c != (uint8_t)text[i])
			return false;
	return true;
}

static bool
digit(uint8_t c, unsigned int base, uint32_t *ret)
{
	uint32_t d;

	if (c >= '0' && c <= '9')
		d = (uint32_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		d = (uint32_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		d = (uint32_t)(c - 'A' + 10);
	else
		return false;
	*ret = d;
	return d < base;
}

bool
vici_number(struct rd value, unsigned int base, uint32_t *ret)
{
	uint64_t sum = 0;
	uint32_t d;
	uint8_t c;

	if (value.left == 0)
		return false;
	while (value.left > 0) {
		if (!rd_u8(&value, &c) || !digit(c, base, &d))
			return false;
		sum = sum * base + d;
		if (sum > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)sum;
	return true;
}

bool
vici_success(struct rd message, char *why, size_t why_bytes)
{
	struct rd value;

	if (why_bytes > 0)
		why[0] = '\0';
	if (vici_find(message, "errmsg", &value))
		vici_text(value, why, why_bytes);
	return vici_find(message, "success", &value) &&
	    vici_equals(value, "yes");
}
