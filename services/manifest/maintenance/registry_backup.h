#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_REGISTRY_BACKUP_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_REGISTRY_BACKUP_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/blob_storage.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collector.h"

namespace entrepot::manifest {

// Makes a backup: copies the records to <backup_directory>/<name>/kv, and lets the blob service copy its objects beside
// them, or, if the blob service is a process of its own, below its own directory. The records are copied first and the
// objects afterwards, during a pause of deletions: so all objects that the records name are copied. Objects that were
// pushed in between are garbage after a restore. The copy of the records gets its final name last; a backup without it
// is not a backup. A damaged blob does not stop the backup; the result has the number of them.
//
// kInvalidArgument: the name is invalid (core/files/named_backup.h). kAlreadyExists: the name is taken. After a failure
// the name may be taken; use another one.
absl::StatusOr<v1::Backup> TakeBackup(const std::string& backup_directory, const std::string& name, kv::KvReader& kv,
                                      const std::function<absl::Status(const std::string& directory)>& snapshot_kv,
                                      BlobStorage& objects, Collector& collector);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_REGISTRY_BACKUP_H_
