/* k_nep_end.h - undo the definitions of k_nep_body.h, before it is included again. */
#undef vec
#undef FN
#undef APART
#undef V
#undef VSET
#undef SHUF
#undef W
#undef TARGET
#undef NAME
