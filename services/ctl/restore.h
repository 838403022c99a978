#ifndef ENTREPOT_SERVICES_CTL_RESTORE_H_
#define ENTREPOT_SERVICES_CTL_RESTORE_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/stop_signal.h"
#include "services/ctl/offline_registry.h"

namespace entrepot::ctl {

// Copies a backup to where a registry will be started on it. The copies are checked, every object by its hash, before
// they get their names: then they are good, and durable. What the report says is wrong kept them from getting them, and
// is all that is left. kInvalidArgument: a backup is none, or a directory to be made is there and not empty.
// kFailedPrecondition, kDataLoss: of the accounts.
absl::StatusOr<manifest::v1::InvariantReport> Restore(const RegistryDirectories& backup,
                                                      const RegistryDirectories& data, const Pace& pace);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_RESTORE_H_
