/* SPDX-License-Identifier: ISC */
/*
 * key_text.h - a public key as text: "type base64 [comment]", as in a .pub
 * file.  Pure.
 */
#ifndef JUMPD_KEY_TEXT_H
#define JUMPD_KEY_TEXT_H

#include "jumpd/key_blob.h"

/*
 * Read it from `len` octets; blanks before it are skipped.  The blob is
 * written to `room`, which *ret borrows.  DENY_NONE, DENY_KEY_MALFORMED (also
 * if the text names another type than the blob), DENY_KEY_TYPE,
 * DENY_KEY_WEAK; *ret is untouched then.
 */
enum deny_reason key_text_read(const char *text, size_t len,
    uint8_t room[KEY_BLOB_MAX], struct key_blob *ret);

/* Octets of the first word, up to a blank or the end. */
size_t key_text_word(const char *text, size_t len);

/* True for a word that is a key's type, whether accepted or not. */
bool key_text_is_type(const char *word, size_t len);

/* Without blanks (space, tab, CR) at either end. */
void key_text_trim(const char **text, size_t *len);

#endif
