/* The version, in the emitted files, `mote --version` and mote_version(). */
#ifndef MOTE_BASE_VERSION_H
#define MOTE_BASE_VERSION_H

#define MOTE_VERSION_TEXT "0.1.0"

#endif
