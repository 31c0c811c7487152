/*
 * remove.h - take a topic's directory away.
 */
#ifndef SB_LOG_REMOVE_H
#define SB_LOG_REMOVE_H

/*
 * Delete the half-made or removed topic NAME (".new-*", ".rm-*"): files known
 * by their names only.  What cannot be deleted stays; it is never listed.
 */
void sb_topic_scrap(int storefd, const char *name);

#endif
