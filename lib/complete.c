/*
 * Completion for bash: a table of every applet's options, written from the
 * applets' own, and a fixed function that reads it. Needs nothing but bash.
 */
#include <string.h>

#include "applet.h"
#include "opt.h"

/* What follows an option, by the word that help has for it. */
static char kind(const struct opt *o)
{
	static const struct {
		const char *arg;
		char kind;
	} kinds[] = {
		{ "PATH", 'f' }, { "FILE", 'f' },       { "DIR", 'f' }, { "BINARY", 'f' },
		{ "PID", 'p' },  { "PPID", 'p' },       { "TID", 'p' }, { "USER", 'u' },
		{ "UID", 'u' },  { "COMMAND...", 'c' },
	};

	if (!o->arg)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(o->arg, kinds[i].arg))
			return kinds[i].kind;
	return 'n';
}

/* "-p=p --pid=p -x --failed": a letter after the equals sign says what the option takes. */
static void option(const struct opt *o, bool own, void *ctx)
{
	struct buf *b = ctx;
	char suffix[] = { kind(o) ? '=' : '\0', kind(o), '\0' };

	(void)own;
	if (o->letter)
		buf_fmt(b, " -%c%s", o->letter, suffix);
	buf_fmt(b, " --%s%s", o->name, suffix);
}

static const char script[] =
	"# Words that begin with the current one, of those given.\n"
	"_bcctool_words() {\n"
	"	local word\n"
	"	COMPREPLY=()\n"
	"	for word; do\n"
	"		[[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
	"	done\n"
	"}\n"
	"\n"
	"_bcctool_files() {\n"
	"	compopt -o filenames 2>/dev/null\n"
	"	mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"}\n"
	"\n"
	"_bcctool_value() {\n"
	"	local pids\n"
	"	case $1 in\n"
	"	f) _bcctool_files ;;\n"
	"	p) pids=(/proc/[0-9]*) && _bcctool_words \"${pids[@]#/proc/}\" ;;\n"
	"	u) mapfile -t COMPREPLY < <(compgen -u -- \"$cur\") ;;\n"
	"	c) mapfile -t COMPREPLY < <(compgen -c -- \"$cur\") ;;\n"
	"	esac\n"
	"}\n"
	"\n"
	"# The options of an applet, or the value of the one before the current word.\n"
	"_bcctool_applet() {\n"
	"	local options=${_bcctool_options[$1]} prev=$2 exec=$3 option\n"
	"	[[ $exec ]] && { _bcctool_files; return; }\n"
	"	for option in $options; do\n"
	"		[[ $option == \"$prev\"=? ]] && { _bcctool_value \"${option#*=}\"; return; "
	"}\n"
	"	done\n"
	"	[[ $cur == -* ]] || return\n"
	"	options=($options)\n"
	"	_bcctool_words \"${options[@]%=?}\"\n"
	"}\n"
	"\n"
	"_bcctool() {\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"	local applet=${COMP_WORDS[0]##*/} at=0 exec= i\n"
	"	COMPREPLY=()\n"
	"	# bash splits --name=value in three.\n"
	"	if [[ $cur == = ]]; then\n"
	"		cur=\n"
	"	elif [[ $prev == = ]]; then\n"
	"		prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"	fi\n"
	"	if [[ ! ${_bcctool_options[$applet]} ]]; then\n"
	"		applet=${COMP_WORDS[1]} at=1\n"
	"		if ((COMP_CWORD == 1)); then\n"
	"			_bcctool_words \"${!_bcctool_options[@]}\" check help --help "
	"--list \\\n"
	"				--names --install --version --man --man-all --completion\n"
	"			return\n"
	"		fi\n"
	"		[[ $applet ]] || return\n"
	"		case $applet in\n"
	"		check) _bcctool_words \"${!_bcctool_options[@]}\" --json ;;\n"
	"		help | --man) _bcctool_words \"${!_bcctool_options[@]}\" ;;\n"
	"		--install | --man-all) _bcctool_files ;;\n"
	"		esac\n"
	"	fi\n"
	"	[[ ${_bcctool_options[$applet]} ]] || return\n"
	"	for ((i = at + 1; i < COMP_CWORD - 1; i++)); do\n"
	"		[[ ${COMP_WORDS[i]} == --exec ]] && exec=1\n"
	"	done\n"
	"	_bcctool_applet \"$applet\" \"$prev\" \"$exec\"\n"
	"}\n"
	"\n"
	"complete -F _bcctool bcctool \"${!_bcctool_options[@]}\"\n";

void applet_completion(struct buf *b)
{
	buf_str(b, "# bash completion for bcctool, printed by bcctool --completion\n"
		   "declare -gA _bcctool_options=(\n");
	for (const struct applet_entry *const *p = applet_sorted(); *p; p++) {
		buf_fmt(b, "	[%s]='", (*p)->applet->name);
		opt_each((*p)->applet, option, b);
		buf_str(b, "'\n");
	}
	buf_str(b, ")\n\n");
	buf_str(b, script);
}
