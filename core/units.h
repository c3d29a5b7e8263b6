/* units.h - CODATA 2018 constants and every unit conversion mlkit makes.
 * Inside: Angstrom, eV, amu, K, time unit tau = sqrt(amu A^2/eV). For people: fs, ps, GPa, W/m/K.
 */
#ifndef MLK_CORE_UNITS_H
#define MLK_CORE_UNITS_H

#define MLK_PI 3.14159265358979323846
#define MLK_E_C 1.602176634e-19       /* elementary charge [C], exact                  */
#define MLK_KB_SI 1.380649e-23        /* Boltzmann constant [J/K], exact               */
#define MLK_AMU_KG 1.66053906660e-27  /* atomic mass constant [kg], CODATA 2018        */
#define MLK_KB (MLK_KB_SI / MLK_E_C)  /* [eV/K]                                        */
#define MLK_COULOMB 14.3996454784257  /* e^2/(4 pi eps0) [eV A], CODATA 2018           */
#define MLK_TAU_FS 10.180505710759414 /* sqrt(amu A^2/eV) [fs]                         */
#define MLK_TAU_PS (MLK_TAU_FS * 1e-3)
#define MLK_BOHR 0.529177210903            /* Bohr radius [A], CODATA 2018                  */
#define MLK_HARTREE 27.211386245988        /* [eV], CODATA 2018                             */
#define MLK_RYDBERG (MLK_HARTREE / 2)      /* [eV]                                          */
#define MLK_EVA3_GPA 160.21766340          /* 1 eV/A^3 [GPa], exact                         */
#define MLK_KBAR_EVA3 (0.1 / MLK_EVA3_GPA) /* 1 kbar [eV/A^3]                           */

#endif
