#include "services/manifest/catalog/blob_catalog.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/repository_write.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/object_removals.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/repository_record.h"
#include "services/manifest/records/review_queue.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::BlobRecord;
using storage::v1::RepositoryRecord;

// A commit asks the blob service so often without holding locks. If objects are removed all the time, it then asks
// while it holds them.
constexpr int kConfirmationsMax = 3;

absl::Status UnknownBlob(const RepositoryName& repository, const Digest& digest) {
  return OciError(OciErrorCode::kBlobUnknown, absl::StrCat(repository.ToString(), " has no such blob"),
                  digest.ToString());
}

// The record, if the blob exists and is LIVE.
absl::StatusOr<std::optional<BlobRecord>> ReadLive(kv::KvReader& kv, const Digest& digest) {
  ASSIGN_OR_RETURN(std::optional<BlobRecord> record, kv::ReadRecord<BlobRecord>(kv, keys::Blob(digest)));
  if (record.has_value() && record->state() != BlobRecord::LIVE) record.reset();
  return record;
}

// Whether a manifest of the repository refers to the digest.
absl::StatusOr<bool> IsNeededIn(kv::KvReader& kv, const Digest& digest, const RepositoryName& repository) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> references,
                   kv.Scan({.prefix = keys::ReferencesTo(digest, repository), .start_after = "", .limit = 1}));
  return !references.empty();
}

// Whether a repository that caches the upstream has the blob. The names of these repositories begin with the
// upstream's.
absl::StatusOr<bool> IsInCacheOf(kv::KvReader& kv, const Digest& digest, absl::string_view upstream) {
  RecordCursor cursor(&kv, keys::LinksBelow(digest, upstream), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const link, cursor.Next());
    if (link == nullptr) return false;
    ASSIGN_OR_RETURN(const keys::Decoded key, keys::Decode(link->key));
    ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv, *key.repository));
    if (RepositoryExists(record) && record->cache_of() == upstream) return true;
  }
}

}  // namespace

bool BlobCatalog::LeaseDue(const BlobRecord& record) const {
  return FromTimestamp(record.lease_until()) - clock_->Now() < lease_ / 2;
}

absl::StatusOr<bool> BlobCatalog::Commit(const Caller& caller, const RepositoryName& repository, const Blob& blob,
                                         absl::string_view cache_of) {
  ASSIGN_OR_RETURN(const CommitResult result, repositories_->RunAfterInterruptedDeletion(repository, [&] {
    return CommitUncounted(caller, repository, blob, cache_of);
  }));
  metrics_->CountCommit(result, blob.size_bytes);
  return result == CommitResult::kDeduplicated;
}

absl::StatusOr<CommitResult> BlobCatalog::CommitUncounted(const Caller& caller, const RepositoryName& repository,
                                                          const Blob& blob, absl::string_view cache_of) {
  for (int tried = 0;; ++tried) {
    CommitTerms terms{.now = absl::UnixEpoch(),
                      .lease = lease_,
                      .need_object = objects_ != nullptr,
                      .removals = std::nullopt,
                      .objects = nullptr,
                      .old_key = std::nullopt};
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> before, kv::ReadRecord<BlobRecord>(*kv_, keys::Blob(blob.digest)));
    const bool is_live = before.has_value() && before->state() == BlobRecord::LIVE;
    if (objects_ != nullptr && !is_live) {
      ASSIGN_OR_RETURN(terms.removals, ReadObjectRemovals(*kv_));
      RETURN_IF_ERROR(ConfirmObject(objects_, blob));
    }
    if (tried >= kConfirmationsMax) terms.objects = objects_;
    ASSIGN_OR_RETURN(const std::optional<CommitResult> result,
                     TryCommit(caller, repository, blob, cache_of, before, std::move(terms)));
    if (result.has_value()) return *result;
    // The blob was reviewed or committed by another call meanwhile, or objects were removed.
  }
}

absl::StatusOr<std::optional<CommitResult>> BlobCatalog::TryCommit(const Caller& caller,
                                                                   const RepositoryName& repository, const Blob& blob,
                                                                   absl::string_view cache_of,
                                                                   const std::optional<BlobRecord>& before,
                                                                   CommitTerms terms) {
  const bool is_live_with_lease = before.has_value() && before->state() == BlobRecord::LIVE && !LeaseDue(*before);
  CatalogLocks locks;
  locks.Blob(blob.digest, is_live_with_lease ? LockMode::kShared : LockMode::kExclusive);
  locks.Link(blob.digest, repository, LockMode::kExclusive);
  locks.Object(blob.storage_key, LockMode::kExclusive);
  if (before.has_value() && !is_live_with_lease) {
    ASSIGN_OR_RETURN(Blob old, ToBlob(blob.digest, *before));
    locks.Object(old.storage_key, LockMode::kExclusive);
    terms.old_key = std::move(old.storage_key);
  }
  ASSIGN_OR_RETURN(const RepositoryWrite write,
                   RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kPush, &locks, cache_of));
  std::optional<CommitResult> result;
  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(write.Enter(transaction));
    terms.now = clock_->Now();
    if (is_live_with_lease) {
      ASSIGN_OR_RETURN(result, CommitUploadOfLive(transaction, repository, blob, terms.now));
    } else {
      ASSIGN_OR_RETURN(result, CommitUpload(transaction, repository, blob, terms));
    }
    if (!result.has_value()) return absl::OkStatus();
    RETURN_IF_ERROR(write.EnsureExists(transaction, terms.now));
    return Failpoint("manifest.commit_blob.written");
  }));
  if (result.has_value()) RETURN_IF_ERROR(Failpoint("manifest.commit_blob.committed"));
  return result;
}

absl::StatusOr<BlobLookup> BlobCatalog::LookUp(const Caller& caller, const RepositoryName& repository,
                                               const Digest& digest, kv::ReadTier tier) {
  kv::KvReader& kv = kv_->reader(tier);
  std::vector<std::string> wanted = {keys::Blob(digest), keys::Link(digest, repository)};
  bool must_ask = reads_->MustAsk(caller);
  if (must_ask) wanted.push_back(keys::Repository(repository));
  ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> found, kv.MultiGet(wanted));
  if (!must_ask && reads_->MustAsk(caller)) {
    must_ask = true;
    wanted.push_back(keys::Repository(repository));
    ASSIGN_OR_RETURN(found, kv.MultiGet(wanted));
  }
  if (must_ask) RETURN_IF_ERROR(RepositoryReads::CheckValue(caller, repository, found[2]));
  if (!found[0].has_value() || !found[1].has_value()) return UnknownBlob(repository, digest);
  ASSIGN_OR_RETURN(const BlobRecord record, kv::ParseRecord<BlobRecord>(wanted[0], *found[0]));
  if (record.state() != BlobRecord::LIVE) return UnknownBlob(repository, digest);
  ASSIGN_OR_RETURN(Blob blob, ToBlob(digest, record));
  return BlobLookup{.blob = std::move(blob), .lease_due = LeaseDue(record)};
}

absl::Status BlobCatalog::RenewLease(const RepositoryName& repository, const Digest& digest) {
  bool renewed = false;
  absl::Status status =
      kv_->Transact({{keys::Blob(digest), LockMode::kExclusive}}, [&](kv::KvTransaction& transaction) -> absl::Status {
        renewed = false;
        ASSIGN_OR_RETURN(std::optional<BlobRecord> record, ReadLive(transaction, digest));
        if (!record.has_value()) return UnknownBlob(repository, digest);
        if (!LeaseDue(*record)) return absl::OkStatus();
        *record->mutable_lease_until() = ToTimestamp(clock_->Now() + lease_);
        kv::WriteRecord(transaction, keys::Blob(digest), *record);
        renewed = true;
        return absl::OkStatus();
      });
  if (renewed && status.ok()) metrics_->CountLeaseRenewal();
  if (absl::IsUnavailable(status) || absl::IsAborted(status)) {
    // A blob that a manifest refers to needs no lease: it can be pulled while nothing can be written.
    const absl::StatusOr<bool> referred_to = IsReferredTo(*kv_, digest);
    if (referred_to.ok() && *referred_to) return absl::OkStatus();
  }
  return status;
}

absl::StatusOr<Blob> BlobCatalog::Find(const Caller& caller, const RepositoryName& repository, const Digest& digest) {
  ASSIGN_OR_RETURN(BlobLookup found, LookUp(caller, repository, digest));
  if (found.lease_due) RETURN_IF_ERROR(RenewLease(repository, digest));
  return std::move(found.blob);
}

absl::StatusOr<Blob> BlobCatalog::Mount(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                                        const std::optional<RepositoryName>& source) {
  absl::StatusOr<Blob> blob = repositories_->RunAfterInterruptedDeletion(
      repository, [&] { return MountUncounted(caller, repository, digest, source); });
  if (blob.ok()) metrics_->CountMount(MountResult::kMounted, blob->size_bytes);
  if (absl::IsNotFound(blob.status())) metrics_->CountMount(MountResult::kUnknown, 0);
  return blob;
}

absl::StatusOr<Blob> BlobCatalog::MountUncounted(const Caller& caller, const RepositoryName& repository,
                                                 const Digest& digest, const std::optional<RepositoryName>& source) {
  const RepositoryName& asked = source.has_value() ? *source : repository;
  // Most mounts write only a link, and run side by side. A mount that also renews the lease holds the blob exclusively.
  ASSIGN_OR_RETURN(const std::optional<BlobRecord> before, ReadLive(*kv_, digest));
  if (!before.has_value()) return UnknownBlob(asked, digest);
  const bool renew = LeaseDue(*before);
  bool source_readable = true;
  if (source.has_value()) {
    ASSIGN_OR_RETURN(source_readable, MayMountFrom(caller, *source));
  }
  CatalogLocks locks;
  locks.Blob(digest, renew ? LockMode::kExclusive : LockMode::kShared);
  locks.Link(digest, repository, LockMode::kExclusive);
  ASSIGN_OR_RETURN(const RepositoryWrite write,
                   RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kPush, &locks));

  BlobRecord record;
  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(write.Enter(transaction));
    ASSIGN_OR_RETURN(std::optional<BlobRecord> live, ReadLive(transaction, digest));
    if (!live.has_value()) return UnknownBlob(asked, digest);
    record = *std::move(live);
    const absl::Time now = clock_->Now();
    if (renew) {
      *record.mutable_lease_until() = ToTimestamp(std::max(FromTimestamp(record.lease_until()), now + lease_));
      kv::WriteRecord(transaction, keys::Blob(digest), record);
    }
    ASSIGN_OR_RETURN(const bool linked, HasLink(transaction, digest, repository));
    if (linked) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool source_has,
                     source.has_value() ? HasLink(transaction, digest, *source) : HasAnyLink(transaction, digest));
    if (!source_has || !source_readable) return UnknownBlob(asked, digest);
    RETURN_IF_ERROR(EnsureLink(transaction, digest, repository, now));
    RETURN_IF_ERROR(write.EnsureExists(transaction, now));
    return Failpoint("manifest.mount_blob.written");
  }));
  RETURN_IF_ERROR(Failpoint("manifest.mount_blob.committed"));
  return ToBlob(digest, record);
}

absl::StatusOr<Blob> BlobCatalog::FindOrLinkNeeded(const Caller& caller, const RepositoryName& repository,
                                                   const Digest& digest) {
  absl::StatusOr<Blob> found = Find(caller, repository, digest);
  if (!absl::IsNotFound(found.status())) return found;
  return repositories_->RunAfterInterruptedDeletion(repository, [&] { return LinkNeeded(caller, repository, digest); });
}

absl::StatusOr<Blob> BlobCatalog::LinkNeeded(const Caller& caller, const RepositoryName& repository,
                                             const Digest& digest) {
  ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> cache, ReadRepository(*kv_, repository));
  if (!RepositoryExists(cache) || cache->cache_of().empty()) return UnknownBlob(repository, digest);
  ASSIGN_OR_RETURN(const std::optional<BlobRecord> before, ReadLive(*kv_, digest));
  if (!before.has_value()) return UnknownBlob(repository, digest);
  const bool lease_due = LeaseDue(*before);
  CatalogLocks locks;
  locks.Blob(digest, lease_due ? LockMode::kExclusive : LockMode::kShared);
  locks.Link(digest, repository, LockMode::kExclusive);
  ASSIGN_OR_RETURN(
      const RepositoryWrite write,
      RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kPush, &locks, cache->cache_of()));

  BlobRecord record;
  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(write.Enter(transaction));
    ASSIGN_OR_RETURN(std::optional<BlobRecord> live, ReadLive(transaction, digest));
    if (!live.has_value()) return UnknownBlob(repository, digest);
    record = *std::move(live);
    ASSIGN_OR_RETURN(const bool linked, HasLink(transaction, digest, repository));
    if (!linked) {
      ASSIGN_OR_RETURN(const bool needed, IsNeededIn(transaction, digest, repository));
      if (!needed) return UnknownBlob(repository, digest);
      ASSIGN_OR_RETURN(const bool cached, IsInCacheOf(transaction, digest, cache->cache_of()));
      if (!cached) return UnknownBlob(repository, digest);
    }
    const absl::Time now = clock_->Now();
    if (lease_due) {
      *record.mutable_lease_until() = ToTimestamp(std::max(FromTimestamp(record.lease_until()), now + lease_));
      kv::WriteRecord(transaction, keys::Blob(digest), record);
    }
    RETURN_IF_ERROR(EnsureLink(transaction, digest, repository, now));
    return Failpoint("manifest.link_blob.written");
  }));
  RETURN_IF_ERROR(Failpoint("manifest.link_blob.committed"));
  return ToBlob(digest, record);
}

absl::StatusOr<bool> BlobCatalog::MayMountFrom(const Caller& caller, const RepositoryName& source) {
  const absl::Status visible = reads_->Check(caller, source);
  if (absl::IsNotFound(visible) || absl::IsUnauthenticated(visible)) return false;
  RETURN_IF_ERROR(visible);
  return true;
}

absl::Status BlobCatalog::Unlink(const Caller& caller, const RepositoryName& repository, const Digest& digest) {
  const TagGuard guard(*policy_, caller, &repository);
  CatalogLocks locks;
  locks.Blob(digest, LockMode::kShared);
  locks.Link(digest, repository, LockMode::kExclusive);
  ASSIGN_OR_RETURN(const RepositoryWrite write,
                   RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kRemoval, &locks));
  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(write.Enter(transaction));
    ASSIGN_OR_RETURN(const bool linked, HasLink(transaction, digest, repository));
    if (!linked) return UnknownBlob(repository, digest);
    RETURN_IF_ERROR(guard.CheckUnlinkOf(transaction, digest));
    transaction.Delete(keys::Link(digest, repository));
    RETURN_IF_ERROR(QueueForReview(transaction, digest, clock_->Now()));
    return Failpoint("manifest.unlink_blob.written");
  }));
  RETURN_IF_ERROR(Failpoint("manifest.unlink_blob.committed"));
  metrics_->CountUnlink();
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
