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

// When the deletion that still removes content began; nullopt if there is none.
absl::StatusOr<std::optional<absl::Time>> UnfinishedDeletion(kv::KvReader& kv, const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv, repository));
  if (!record.has_value() || !record->emptying()) return std::nullopt;
  return FromTimestamp(record->deleted_at());
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
  ASSIGN_OR_RETURN(std::optional<absl::Time> began, UnfinishedDeletion(*kv_, repository));
  if (!began.has_value()) {
    reads_->DeletionBegins();
    absl::StatusOr<absl::Time> marked = MarkDeleted(caller, repository);
    if (!marked.ok()) {
      // If the record cannot be read, the transaction may have succeeded: reads must continue to check it.
      const absl::StatusOr<std::optional<absl::Time>> found = UnfinishedDeletion(*kv_, repository);
      if (found.ok() && !found->has_value()) reads_->DeletionEnds();
      return marked.status();
    }
    began = *marked;
  }
  return RemoveContent({repository, *began});
}

absl::Status RepositoryRemover::FinishInterrupted(const RepositoryName& repository) {
  if (!mutex_.TryLock()) return BeingDeleted(repository);
  const absl::StatusOr<std::optional<absl::Time>> began = UnfinishedDeletion(*kv_, repository);
  absl::Status status = began.status();
  if (began.ok() && began->has_value()) status = RemoveContent({repository, **began}).status();
  mutex_.Unlock();
  return status;
}

absl::StatusOr<absl::Time> RepositoryRemover::MarkDeleted(const Caller& caller, const RepositoryName& repository) {
  CatalogLocks locks;
  locks.Repository(repository, LockMode::kExclusive);
  absl::Time deleted_at;
  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<RepositoryRecord> record, ReadRepository(transaction, repository));
    RETURN_IF_ERROR(CheckToken(caller, repository, record));
    if (!RepositoryExists(record)) return UnknownRepository(repository);
    RETURN_IF_ERROR(TagGuard(*policy_, caller, &repository).CheckDeletionOfAll(transaction));
    // Later than the deletion before, from which it is told apart by this time.
    const absl::Time now = std::max(clock_->Now(), FromTimestamp(record->deleted_at()) + absl::Microseconds(1));
    *record->mutable_deleted_at() = RoundedUp(now);
    deleted_at = FromTimestamp(record->deleted_at());
    record->set_deleted(true);
    record->set_emptying(true);
    kv::WriteRecord(transaction, keys::Repository(repository), *record);
    return absl::OkStatus();
  }));
  return deleted_at;
}

absl::StatusOr<RepositoryDeletion> RepositoryRemover::RemoveContent(const Deletion& deletion) {
  RepositoryDeletion counts;
  absl::Status removed = RemoveAll(deletion, &counts);
  if (!removed.ok() && !absl::IsFailedPrecondition(removed)) return removed;
  reads_->DeletionEnds();
  return counts;
}

absl::Status RepositoryRemover::RemoveAll(const Deletion& deletion, RepositoryDeletion* counts) {
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.hidden"));
  RETURN_IF_ERROR(RemoveTags(deletion, &counts->tags));
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.tags_removed"));
  RETURN_IF_ERROR(RemoveManifests(deletion, &counts->manifests));
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.manifests_removed"));
  RETURN_IF_ERROR(RemoveLinks(deletion, &counts->blobs));
  RETURN_IF_ERROR(Failpoint("manifest.delete_repository.links_removed"));
  return MarkEmptied(deletion);
}

absl::Status RepositoryRemover::RemoveTags(const Deletion& deletion, uint64_t* removed) {
  const RepositoryName& repository = deletion.repository;
  kv::ScanOptions scan{.prefix = keys::TagsOf(repository), .start_after = "", .limit = kBatch};
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page, kv_->Scan(scan));
    if (page.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(CheckRunning());
    RETURN_IF_ERROR(Transact(deletion, CatalogLocks(), [&](kv::KvTransaction& transaction) -> absl::Status {
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

absl::Status RepositoryRemover::RemoveManifests(const Deletion& deletion, uint64_t* removed) {
  const RepositoryName& repository = deletion.repository;
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
    RETURN_IF_ERROR(Transact(deletion, std::move(locks), [&](kv::KvTransaction& transaction) -> absl::Status {
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

absl::Status RepositoryRemover::RemoveLinks(const Deletion& deletion, uint64_t* removed) {
  const RepositoryName& repository = deletion.repository;
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
    RETURN_IF_ERROR(RemoveLinksTo(deletion, batch));
    *removed += batch.size();
  }
  return absl::OkStatus();
}

absl::Status RepositoryRemover::RemoveLinksTo(const Deletion& deletion, const std::vector<Digest>& digests) {
  const RepositoryName& repository = deletion.repository;
  CatalogLocks locks;
  for (const Digest& digest : digests) {
    locks.Blob(digest, LockMode::kShared).Link(digest, repository, LockMode::kExclusive);
  }
  return Transact(deletion, std::move(locks), [&](kv::KvTransaction& transaction) -> absl::Status {
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

absl::Status RepositoryRemover::MarkEmptied(const Deletion& deletion) {
  const RepositoryName& repository = deletion.repository;
  return Transact(deletion, CatalogLocks(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<RepositoryRecord> record, ReadRepository(transaction, repository));
    record->set_emptying(false);
    kv::WriteRecord(transaction, keys::Repository(repository), *record);
    return absl::OkStatus();
  });
}

absl::Status RepositoryRemover::Transact(const Deletion& deletion, CatalogLocks locks,
                                         const kv::KvEngine::Function& fn) {
  locks.Repository(deletion.repository, LockMode::kExclusive);
  return kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<absl::Time> began, UnfinishedDeletion(transaction, deletion.repository));
    if (began != deletion.began) {
      return absl::FailedPreconditionError(
          absl::StrCat("another process has deleted ", deletion.repository.ToString()));
    }
    return fn(transaction);
  });
}

}  // namespace entrepot::manifest
