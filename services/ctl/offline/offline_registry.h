#ifndef ENTREPOT_SERVICES_CTL_OFFLINE_OFFLINE_REGISTRY_H_
#define ENTREPOT_SERVICES_CTL_OFFLINE_OFFLINE_REGISTRY_H_

#include <string>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::ctl {

// The data directories of a registry: one for all services (standalone), or one for each (split).
struct RegistryDirectories {
  std::string manifest;
  std::string blobs;          // The same as `manifest` if standalone.
  std::string accounts = {};  // The auth service's, in split mode; may be empty.

  bool standalone() const { return manifest == blobs; }
};

// Checks a registry that is not running: its records against one another and against the objects. Opens the stores as
// the registry does, which may complete or undo what a crash interrupted; stored content does not change.
// kFailedPrecondition if a registry is running on a directory or has never run there.
absl::StatusOr<manifest::v1::InvariantReport> CheckOffline(const RegistryDirectories& directories, bool rehash,
                                                           const Pace& pace);

struct Restored {
  manifest::v1::InvariantReport report;
  // The copies got their names.
  bool published = false;
  // There are no violations but damaged and missing blobs; also if there are no violations.
  bool only_blobs_are_damaged = false;
  // The registry had accounts.
  bool has_accounts = false;
};

// Copies each directory of `backup` to that of `data`, durably. The copies are checked, every object by its hash, and
// get their names only if the report has no violations; otherwise nothing is left of them. With `accept_damaged` they
// also get their names if only blobs are damaged or missing: these are marked CORRUPT in the copy, and the violations
// name all CORRUPT blobs. kInvalidArgument if a directory of `backup` is not a backup, or one of `data` exists and is
// not empty. kFailedPrecondition or kDataLoss if the accounts are damaged.
absl::StatusOr<Restored> Restore(const RegistryDirectories& backup, const RegistryDirectories& data,
                                 bool accept_damaged, const Pace& pace);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OFFLINE_OFFLINE_REGISTRY_H_
