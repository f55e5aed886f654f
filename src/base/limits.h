/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_LIMITS_H
#define LIA_BASE_LIMITS_H
/*
 * base/limits - the largest of everything. Each limit has a status when it is reached.
 */
#define LIA_MIB ((size_t)1024 * 1024)

#define LIA_DOC_BYTES_MAX (16 * LIA_MIB) /* a written body: LIANA_ETOOLARGE */
#define LIA_JSON_BYTES_MAX                                                             \
    (256 * LIA_MIB) /* the text of one document: LIANA_ETOOLARGE */
#define LIA_STATE_BYTES_MAX                                                            \
    (64 * LIA_MIB) /* a merged document with its clock: LIANA_ETOOLARGE */
#define LIA_DEPTH_MAX                                                                  \
    100 /* nesting of documents, JSON and expressions: LIANA_EDEPTH  \
                           */
#define LIA_ID_BYTES_MAX    1024 /* canonical key of an _id: LIANA_EID */
#define LIA_NAME_BYTES_MAX  120  /* collection, database and peer names: LIANA_EINVAL */
#define LIA_STATEMENT_MAX   (1 * LIA_MIB) /* text of a statement: LIANA_ETOOLARGE */
#define LIA_FRAME_BYTES_MAX (1 * LIA_MIB) /* one frame on a link: LIANA_EPROTOCOL */
#define LIA_BATCH_BYTES_MAX                                                            \
    (16 * LIA_MIB) /* a batch held in memory; larger ones are staged */
#define LIA_SUBSCRIPTIONS_MAX                                                          \
    1001 /* per peer, that of what is declared among them: LIANA_ELIMIT */
#define LIA_KNOWN_AWAY_MAX                                                             \
    4096 /* remembered peers without a link: the longest gone go */

#endif
