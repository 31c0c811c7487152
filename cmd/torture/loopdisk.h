/*
 * loopdisk.h - a file system of its own in an image file, whose power can fail.
 *
 * Mounts are in a mount namespace of this process and the loop device is
 * released by the kernel when its last user goes: nothing is left behind,
 * however the process ends.
 */
#ifndef CMD_TORTURE_LOOPDISK_H
#define CMD_TORTURE_LOOPDISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOOPDISK_PATH = 400, LOOPDISK_WHY = 300 };

struct loopdisk {
	const char *fs;      /* "ext4", "xfs", "btrfs" */
	const char *options; /* of mount, "" for none */
	char image[LOOPDISK_PATH], dir[LOOPDISK_PATH], device[32];
	int fd;                 /* of the device, -1: none */
	int dir_fd;             /* of the mounted root, -1: not mounted */
	char why[LOOPDISK_WHY]; /* what failed */
};

/* How the power fails, for FS_IOC_SHUTDOWN. */
enum loopdisk_cut {
	LOOPDISK_FLUSH = 0,     /* all is written, then the power fails */
	LOOPDISK_LOG_FLUSH = 1, /* the journal is written first */
	LOOPDISK_NO_FLUSH = 2,
};

/* Can this process make such disks at all?  If not, why says what is missing. */
bool loopdisk_possible(const char *fs, char why[LOOPDISK_WHY]);

/* A mount namespace of its own, once in a process.  false: d->why. */
bool loopdisk_private(char why[LOOPDISK_WHY]);

/* From now on processes find another boot of the machine, number n; the file
 * BASE/boot that says so stays until loopdisk_boot_end. */
bool loopdisk_boot(const char *base, uint64_t n, char why[LOOPDISK_WHY]);
void loopdisk_boot_end(const char *base);

/*
 * Make image BASE/NAME.img of this many bytes, sparse, with a file system, and
 * the directory BASE/NAME for it.  Nothing is mounted yet.  Each returns false
 * with d->why set if it fails; loopdisk_free gives all back in any case.
 */
bool loopdisk_make(struct loopdisk *d, const char *base, const char *name,
    const char *fs, uint64_t bytes, const char *mkfs_words);
bool loopdisk_mount(struct loopdisk *d, const char *options);
bool loopdisk_cut(struct loopdisk *d, enum loopdisk_cut how);
bool loopdisk_umount(struct loopdisk *d);
void loopdisk_free(struct loopdisk *d);

/* Run a program found in PATH or in sbin, silently.  Its exit status, or -1. */
int loopdisk_run(char *const argv[]);

#endif
