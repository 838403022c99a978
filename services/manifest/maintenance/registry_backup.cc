#include "services/manifest/maintenance/registry_backup.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/files/durable_directory.h"
#include "services/core/files/named_backup.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

// Whether CheckCatalog() reports the blob. Deletions must be paused: then each record that can be read has its object.
absl::StatusOr<bool> IsDamaged(kv::KvReader& kv, BlobStorage& objects, const kv::KeyValue& entry,
                               const BlobRecord& record) {
  const absl::StatusOr<keys::Decoded> key = keys::Decode(entry.key);
  if (!key.ok()) return true;
  if (record.state() == BlobRecord::CORRUPT) return IsReferredTo(kv, *key->digest);
  // A blob that was CORRUPT has no bytes.
  if (record.has_corrupt_since()) return false;
  const absl::StatusOr<Blob> blob = ToBlob(*key->digest, record);
  if (!blob.ok()) return true;
  absl::Status object = objects.Check(blob->storage_key, blob->size_bytes);
  if (object.ok()) return false;
  // Any other error is about the object too, unless the blob service itself fails.
  if (absl::IsNotFound(object) || absl::IsDataLoss(object) || objects.ReadOwner().ok()) return true;
  return object;
}

// Counts the blobs of the registry, their bytes, and the damaged ones.
absl::Status CountBlobs(kv::KvReader& kv, BlobStorage& objects, v1::Backup* backup) {
  RecordCursor cursor(&kv, keys::Blobs(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) return absl::OkStatus();
    const absl::StatusOr<BlobRecord> record = kv::ParseRecord<BlobRecord>(entry->key, entry->value);
    backup->set_blobs(backup->blobs() + 1);
    bool damaged = true;
    if (record.ok()) {
      backup->set_blob_bytes(backup->blob_bytes() + record->size_bytes());
      ASSIGN_OR_RETURN(damaged, IsDamaged(kv, objects, *entry, *record));
    }
    if (damaged) backup->set_damaged_blobs(backup->damaged_blobs() + 1);
  }
}

absl::StatusOr<v1::Backup> Take(const std::string& partial, const std::string& directory, const std::string& name,
                                kv::KvReader& kv,
                                const std::function<absl::Status(const std::string& directory)>& snapshot_kv,
                                BlobStorage& objects, Collector::Pause& pause) {
  RETURN_IF_ERROR(MakeDirectoryDurably(partial));
  v1::Backup backup;
  RETURN_IF_ERROR(snapshot_kv(absl::StrCat(partial, "/kv")));
  RETURN_IF_ERROR(CountBlobs(kv, objects, &backup));
  ASSIGN_OR_RETURN(const ObjectSnapshot snapshot, objects.Snapshot(name));
  RETURN_IF_ERROR(pause.Check());
  // In a standalone registry objects.Snapshot() has just made this directory. A blob service in its own process makes
  // one below its own data directory.
  RETURN_IF_ERROR(MakeDirectoryDurably(directory));
  RETURN_IF_ERROR(RenameDurably(absl::StrCat(partial, "/kv"), absl::StrCat(directory, "/kv")));
  backup.set_name(name);
  backup.set_directory(directory);
  backup.set_objects(snapshot.objects);
  backup.set_object_bytes(snapshot.object_bytes);
  backup.set_objects_directory(snapshot.directory);
  return backup;
}

}  // namespace

absl::StatusOr<v1::Backup> TakeBackup(const std::string& backup_directory, const std::string& name, kv::KvReader& kv,
                                      const std::function<absl::Status(const std::string& directory)>& snapshot_kv,
                                      BlobStorage& objects, Collector& collector) {
  RETURN_IF_ERROR(CheckBackupName(name));
  const std::string directory = BackupDirectory(backup_directory, name);
  if (std::error_code error; std::filesystem::exists(directory, error)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a backup ", directory));
  }
  const std::string partial = absl::StrCat(backup_directory, "/.", name, ".records");
  // The remainder of an interrupted backup.
  RETURN_IF_ERROR(RemoveTree(partial));
  ASSIGN_OR_RETURN(const std::unique_ptr<Collector::Pause> pause, collector.PauseDeletions());
  absl::StatusOr<v1::Backup> backup = Take(partial, directory, name, kv, snapshot_kv, objects, *pause);
  // A remainder does no harm.
  RemoveTree(partial).IgnoreError();
  return backup;
}

}  // namespace entrepot::manifest
