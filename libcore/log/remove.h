/*
 * remove.h - take a topic's directory away.
 */
#ifndef SB_LOG_REMOVE_H
#define SB_LOG_REMOVE_H

/*
 * Delete the half-made or removed topic NAME (".new-*", ".rm-*"): files known
 * by their names only.  Others go to lost+found of the store as TOPIC.FILE.
 * What cannot be deleted stays; it is never listed.
 */
void sb_topic_scrap(int storefd, const char *name, const char *topic);

#endif
