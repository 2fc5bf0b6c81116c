/* `bcctool check`: what this kernel gives each applet. */
#ifndef CHECK_H
#define CHECK_H

/* argv: "check", names of applets, none for all, and --json. 0 if all can run, 1 if some cannot, 2
 * usage. */
int check_main(int argc, char **argv);

#endif
