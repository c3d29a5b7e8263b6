/* test_vasp_level.c - the level of theory of a VASP run as one text, whichever file tells of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "parsers/vasp_level.h"

static const char *text_of(const mlk_vasp_level *l)
{
    static char text[128];
    mlk_vasp_level_text(l, text, sizeof text);
    return text;
}

Test(vasp_level, nothing_known_is_no_text)
{
    mlk_vasp_level l;
    mlk_vasp_level_init(&l);
    cr_expect_str_eq(text_of(&l), "");
    mlk_vasp_level_potcar(&l, "unknown");
    cr_expect_str_eq(text_of(&l), "");
}

Test(vasp_level, potcar_file_gives_titles_functional_and_cutoff)
{
    static const char potcar[] = "  PAW_PBE Li_sv 10Sep2004\n   LEXCH  = PE\n"
                                 "   TITEL  = PAW_PBE Li_sv 10Sep2004 ; FAKE\n"
                                 "   ENMAX  =  499.034; ENMIN  =  374.276 eV\n"
                                 "   TITEL  = PAW_PBE S 06Sep2000\n   ENMAX  =  258.689; ENMIN\n";
    mlk_vasp_level l;
    mlk_vasp_level_init(&l);
    mlk_vasp_level_potcar_file(&l, potcar);
    cr_expect_str_eq(text_of(&l), "VASP GGA=PE ENCUT=499.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    snprintf(l.gga, sizeof l.gga, "ps");
    l.encut = 520;
    cr_expect_str_eq(text_of(&l), "VASP GGA=PS ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
    mlk_vasp_level_metagga(&l, "R2scan");
    mlk_vasp_level_metagga(&l, "F"); /* OUTCAR: a logical */
    cr_expect_str_eq(text_of(&l), "VASP GGA=R2SCAN ENCUT=520.0 POTCAR=PAW_PBE Li_sv,PAW_PBE S");
}

Test(vasp_level, functional_of_the_potcars_where_none_is_set)
{
    static const char *const of[][2] = {
        {"PAW_PBE Si 05Jan2001", "VASP GGA=PE POTCAR=PAW_PBE Si"},
        {"PAW_GGA H 07Jul1998", "VASP GGA=91 POTCAR=PAW_GGA H"},
        {"PAW Al 17Apr2000", "VASP GGA=CA POTCAR=PAW Al"},
        {"US Al", "VASP GGA=-- POTCAR=US Al"},
        {"PAW_PBE H.75 07Sep2000", "VASP GGA=PE POTCAR=PAW_PBE H.75"},
        {"PAW_PBE Si", "VASP GGA=PE POTCAR=PAW_PBE Si"}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        mlk_vasp_level l;
        mlk_vasp_level_init(&l);
        snprintf(l.gga, sizeof l.gga, "--");
        mlk_vasp_level_potcar(&l, of[k][0]);
        cr_expect_str_eq(text_of(&l), of[k][1]);
    }
}

Test(vasp_level, digits_are_those_that_outcar_prints)
{
    mlk_vasp_level l;
    mlk_vasp_level_init(&l);
    l.encut = 295.446;
    l.hybrid = true;
    l.aexx = 0.25;
    l.hfscreen = 0.20704;
    cr_expect_str_eq(text_of(&l), "VASP ENCUT=295.4 LHFCALC AEXX=0.25 HFSCREEN=0.207");
    l.hybrid = false;
    l.lvdw = true;
    cr_expect_str_eq(text_of(&l), "VASP ENCUT=295.4 IVDW=1");
    l.ivdw = 0; /* wins */
    cr_expect_str_eq(text_of(&l), "VASP ENCUT=295.4");
}

Test(vasp_level, long_lists_are_cut_behind_what_is_switched_on)
{
    mlk_vasp_level l;
    char title[64];
    mlk_vasp_level_init(&l);
    for (int k = 0; k < 40; k++) {
        snprintf(title, sizeof title, " PAW_PBE X%d_sv 10Sep2004  ", k % 20);
        mlk_vasp_level_potcar(&l, title);
    }
    l.ldau = true;
    l.encut = 450.5;
    const char *text = text_of(&l);
    static const char head[] = "VASP GGA=PE ENCUT=450.5 LDAU POTCAR=PAW_PBE X0_sv,PAW_PBE X1_sv,";
    cr_expect_eq(strlen(text), 127);
    cr_expect(!strncmp(text, head, sizeof head - 1), "%s", text);
    cr_expect_str_eq(text + 124, "...");
}
