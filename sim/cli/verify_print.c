/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_print.h"

#include "commands.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>

static void print_text(const struct verdicts *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct verify_line *line = &v->line[i];

        printf("%s %s%s%s\n", verify_verdict_name(line->verdict), v->name(i),
               line->reason[0] != '\0' ? ": " : "", line->reason);
    }
    printf("verdict: %s\n", v->ok ? "ACCEPTED" : "REJECTED");
    if (v->simulated) {
        puts("simulated evidence: it proves nothing about the machine it was "
             "made on");
    }
}

static bool print_json(const struct verdicts *v)
{
    struct tree t = tree_object();
    struct tree checks = tree_array();
    char *text;

    tree_text(&t, "verdict", v->ok ? "ACCEPTED" : "REJECTED");
    tree_bool(&t, "simulated", v->simulated);
    if (v->product != NULL) {
        tree_text(&t, "product", v->product);
    }
    for (size_t i = 0; i < v->count; i++) {
        const struct verify_line *line = &v->line[i];
        struct tree row = tree_object();

        tree_text(&row, "check", v->name(i));
        tree_text(&row, "verdict", verify_verdict_name(line->verdict));
        if (line->reason[0] != '\0') {
            tree_text(&row, "reason", line->reason);
        }
        tree_append(&checks, &row);
    }
    tree_tree(&t, "checks", &checks);
    text = tree_as_json(&t);
    if (text != NULL) {
        fputs(text, stdout);
    }
    free(text);
    tree_free(&t);
    return text != NULL;
}

int verdicts_print(const struct verdicts *v, bool json)
{
    bool printed = true;

    if (json) {
        printed = print_json(v);
    } else {
        print_text(v);
    }
    if (!printed || fflush(stdout) != 0) {
        fprintf(stderr, "swpsp verify: cannot write the verdict\n");
        return EXIT_USAGE;
    }
    return v->ok ? EXIT_OK : EXIT_NEGATE;
}
