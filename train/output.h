/* output.h - the files of a model folder (docs/FORMATS.md). */
#ifndef MLK_TRAIN_OUTPUT_H
#define MLK_TRAIN_OUTPUT_H

#include "core/json.h"
#include "train/train.h"

/* {"energy_rmse_meV_atom", "energy_mae_meV_atom", "force_rmse_meV_A", ..., "stress_mae_GPa"}; null
 * where there is no such label. New reference. */
json_t *mlk_errors_json(const mlk_fit_errors *er);
/* {"Li": force RMSE [meV/A], ...} */
json_t *mlk_errors_species_json(const mlk_fit_errors *er);

mlk_status mlk_write_loss_csv(const char *dir, const mlk_history *h, mlk_err *e);
/* parity_energy.csv, parity_force.csv, parity_stress.csv */
mlk_status mlk_write_parity(const char *dir, const mlk_dataset *ds, const mlk_prediction *p,
                            mlk_err *e);
/* loss.out and {energy,force,virial,stress}_{train,test}.out in the layout GPUMD writes, for
 * existing plotting scripts: predicted then reference; virial xx yy zz xy yz zx per atom; missing
 * -1e6. */
mlk_status mlk_write_gpumd_out(const char *dir, const mlk_dataset *ds, const mlk_prediction *p,
                               const mlk_history *h, mlk_err *e);

#endif
