/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The commands of swpsp(1). Each takes its own argv (argv[0] is the command's
 * name), prints results on stdout and problems on stderr as one line
 * "swpsp COMMAND: what is wrong and where", and returns an exit status.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#define EXIT_OK     0 /* done; verified; all simulated */
#define EXIT_NEGATE 1 /* the answer is no: rejected, not simulated */
#define EXIT_USAGE  2 /* bad option, unreadable file, platform refused */

int cmd_run(int argc, char **argv);
int cmd_certs(int argc, char **argv);
int cmd_kds(int argc, char **argv);
int cmd_aeb(int argc, char **argv);
int cmd_aeb_get(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_is_simulated(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_guest(int argc, char **argv);
int cmd_faults(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_shutdown(int argc, char **argv);

#endif
