#include "services/manifest/catalog/repository_remover.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/manifest_writes.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/repository_record.h"
#include "services/manifest/records/review_queue.h"
#include "services/manifest/records/tag_record.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::ManifestRecord;
using storage::v1::RepositoryRecord;

// The number of records that one transaction removes.
constexpr size_t kBatch = 500;

absl::StatusOr<bool> IsEmptying(kv::KvReader& kv, const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv, repository));
  return record.has_value() && record->emptying();
}

// Rounds up to whole microseconds, so that the time in the record is not before `now`.
google::protobuf::Timestamp RoundedUp(absl::Time now) {
  const auto rounded = ToTimestamp(now);
  return FromTimestamp(rounded) < now ? ToTimestamp(now + absl::Microseconds(1)) : rounded;
}

}  // namespace

absl::StatusOr<RepositoryDeletion> RepositoryRemover::Delete(const Caller& caller, const RepositoryName& repository) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckRunning());
  return DeleteLocked(caller, repository);
}

absl::StatusOr<RepositoryDeletion> RepositoryRemover::DeleteLocked(const Caller& caller,
                                                                   const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const bool interrupted, IsEmptying(*kv_, repository));
  if (!interrupted) {
    reads_->DeletionBegins();
    if (absl::Status status = MarkDeleted(caller, repository); !status.ok()) {
      // If the record cannot be read, the transaction may have succeeded: reads must continue to check it.
      const absl::StatusOr<bool> marked = IsEmptying(*kv_, repository);
      if (marked.ok() && !*marked) reads_->DeletionEnds();
      return status;
    }
  }
  return RemoveContent(repository);
}

absl::Status RepositoryRemover::FinishInterrupted(const RepositoryName& repository) {
  if (!mutex_.TryLock()) return BeingDeleted(repository);
  absl::StatusOr<bool> interrupted = IsEmptying(*kv_, repository);
  absl::Status status = interrupted.status();
  if (interrupted.ok() && *interrupted) status = RemoveContent(repository).status();
  mutex_.Unlock();
  return status;
}

absl::Status RepositoryRemover::MarkDeleted(const Caller& caller, const RepositoryName& repository) {
  CatalogLocks locks;
  locks.Repository(repository, LockMode::kExclusive);
  return kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<RepositoryRecord> record, ReadRepository(transaction, repository));
    RETURN_IF_ERROR(CheckToken(caller, repository, record));
    if (!RepositoryExists(record)) return UnknownRepository(repository);
    RETURN_IF_ERROR(TagGuard(*policy_, caller, &repository).CheckDeletionOfAll(transaction));
    const absl::Time now = std::max(clock_->Now(), FromTimestamp(record->deleted_at()));
    *record->mutable_deleted_at() = RoundedUp(now);
    record->set_deleted(true);
    record->set_emptying(true);
    kv::WriteRecord(transaction, keys::Repository(repository), *record);
    return absl::OkStatus();
  });
}

absl::StatusOr<RepositoryDeletion> RepositoryRemover::RemoveContent(const RepositoryName& repository) {
  RepositoryDeletion deletion;
  absl::Status removed = RemoveAll(repository, &deletion);
  if (!removed.ok() && !absl::IsFailedPrecondition(removed)) return removed;
  reads_->DeletionEnds();
  return deletion;
}

absl::Status RepositoryRemover::RemoveAll(const RepositoryName& repository, RepositoryDeletion* deletion) {
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.hidden"));
  RETURN_IF_ERROR(RemoveTags(repository, &deletion->tags));
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.tags_removed"));
  RETURN_IF_ERROR(RemoveManifests(repository, &deletion->manifests));
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.manifests_removed"));
  RETURN_IF_ERROR(RemoveLinks(repository, &deletion->blobs));
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.links_removed"));
  return MarkEmptied(repository);
}

absl::Status RepositoryRemover::RemoveTags(const RepositoryName& repository, uint64_t* removed) {
  kv::ScanOptions scan{.prefix = keys::TagsOf(repository), .start_after = "", .limit = kBatch};
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page, kv_->Scan(scan));
    if (page.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(CheckRunning());
    RETURN_IF_ERROR(Transact(repository, CatalogLocks(), [&](kv::KvTransaction& transaction) -> absl::Status {
      for (const kv::KeyValue& entry : page) {
        ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(entry.key));
        ASSIGN_OR_RETURN(const std::optional<Digest> digest, ReadTag(transaction, repository, *key.tag));
        if (digest.has_value()) RemoveTag(transaction, repository, *key.tag, *digest);
      }
      return absl::OkStatus();
    }));
    *removed += page.size();
    scan.start_after = page.back().key;
  }
}

absl::Status RepositoryRemover::RemoveManifests(const RepositoryName& repository, uint64_t* removed) {
  // Not the record: it has the content, which may be megabytes.
  struct Removal {
    Digest digest;
    std::string subject;
    std::set<Digest> references;
  };
  RecordCursor cursor(kv_, keys::ManifestsOf(repository), "");
  for (bool at_end = false; !at_end;) {
    std::vector<Removal> batch;
    size_t references = 0;
    while (references < kBatch && batch.size() < kBatch) {
      RETURN_IF_ERROR(CheckRunning());
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      at_end = entry == nullptr;
      if (at_end) break;
      ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
      ASSIGN_OR_RETURN(const ManifestRecord record, kv::ParseRecord<ManifestRecord>(entry->key, entry->value));
      ASSIGN_OR_RETURN(std::set<Digest> needed, ReferencesOf(*key.digest, record));
      references += needed.size();
      batch.push_back({*std::move(key.digest), record.subject(), std::move(needed)});
    }
    CatalogLocks locks;
    for (const Removal& manifest : batch) {
      for (const Digest& reference : manifest.references) locks.Blob(reference, LockMode::kShared);
    }
    RETURN_IF_ERROR(Transact(repository, std::move(locks), [&](kv::KvTransaction& transaction) -> absl::Status {
      const absl::Time now = clock_->Now();
      for (const Removal& manifest : batch) {
        RETURN_IF_ERROR(
            RemoveManifest(transaction, repository, manifest.digest, manifest.subject, manifest.references, now));
      }
      return absl::OkStatus();
    }));
    *removed += batch.size();
  }
  return absl::OkStatus();
}

absl::Status RepositoryRemover::RemoveLinks(const RepositoryName& repository, uint64_t* removed) {
  RecordCursor cursor(kv_, keys::Links(), "");
  for (bool at_end = false; !at_end;) {
    std::vector<Digest> batch;
    while (batch.size() < kBatch) {
      RETURN_IF_ERROR(CheckRunning());
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      at_end = entry == nullptr;
      if (at_end) break;
      if (!absl::EndsWith(entry->key, repository.ToString())) continue;
      ASSIGN_OR_RETURN(keys::Decoded key, keys::Decode(entry->key));
      if (*key.repository == repository) batch.push_back(*std::move(key.digest));
    }
    RETURN_IF_ERROR(RemoveLinksTo(repository, batch));
    *removed += batch.size();
  }
  return absl::OkStatus();
}

absl::Status RepositoryRemover::RemoveLinksTo(const RepositoryName& repository, const std::vector<Digest>& digests) {
  CatalogLocks locks;
  for (const Digest& digest : digests) {
    locks.Blob(digest, LockMode::kShared).Link(digest, repository, LockMode::kExclusive);
  }
  return Transact(repository, std::move(locks), [&](kv::KvTransaction& transaction) -> absl::Status {
    const absl::Time now = clock_->Now();
    for (const Digest& digest : digests) {
      transaction.Delete(keys::Link(digest, repository));
      RETURN_IF_ERROR(QueueForReview(transaction, digest, now));
    }
    return absl::OkStatus();
  });
}

absl::Status RepositoryRemover::CheckRunning() const {
  if (!stopped_.load(std::memory_order_relaxed)) return absl::OkStatus();
  constexpr absl::string_view kEnding = "the process is ending; delete the repository again to remove the rest";
  return OciError(OciErrorCode::kUnavailable, kEnding, kEnding);
}

absl::Status RepositoryRemover::MarkEmptied(const RepositoryName& repository) {
  return Transact(repository, CatalogLocks(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<RepositoryRecord> record, ReadRepository(transaction, repository));
    record->set_emptying(false);
    kv::WriteRecord(transaction, keys::Repository(repository), *record);
    return absl::OkStatus();
  });
}

absl::Status RepositoryRemover::Transact(const RepositoryName& repository, CatalogLocks locks,
                                         const kv::KvEngine::Function& fn) {
  locks.Repository(repository, LockMode::kExclusive);
  return kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const bool emptying, IsEmptying(transaction, repository));
    if (!emptying) {
      return absl::FailedPreconditionError(absl::StrCat("another process has deleted ", repository.ToString()));
    }
    return fn(transaction);
  });
}

}  // namespace entrepot::manifest
