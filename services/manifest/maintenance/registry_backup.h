#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_REGISTRY_BACKUP_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_REGISTRY_BACKUP_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/object_access.h"
#include "services/manifest/gc/collector.h"

namespace entrepot::manifest {

// Makes <backup_directory>/<name>/kv, and has the blob service copy its objects beside it, or, where it is a process of
// its own, below its own directory. First the records, then the objects, while none of them is deleted: whatever the
// records name is among the objects, and what was pushed in between is garbage for whoever restores. The records' copy
// gets its name last: without it there is no backup.
//
// kInvalidArgument: the name is none (core/files/backup_name.h); kAlreadyExists. Where it fails half-way the name may
// be taken nonetheless: take another one.
absl::StatusOr<v1::Backup> TakeBackup(const std::string& backup_directory, const std::string& name,
                                      const std::function<absl::Status(const std::string& directory)>& snapshot_kv,
                                      ObjectAccess& objects, Collector& collector);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_REGISTRY_BACKUP_H_
