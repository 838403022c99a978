#include "services/manifest/catalog/manifest_catalog.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digester.h"
#include "services/core/failpoint/failpoint.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/manifest_needs.h"
#include "services/manifest/catalog/manifest_writes.h"
#include "services/manifest/catalog/repository_write.h"
#include "services/manifest/format/manifest_parser.h"
#include "services/manifest/format/manifest_validator.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/tag_record.h"
#include "services/policy/policy.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::ManifestRecord;

// How often a read or a delete starts over because another call has moved the tag meanwhile. More than a few times in a
// row does not happen; the bound prevents an endless loop in a broken store.
constexpr int kRestartsMax = 100;

absl::Status UnknownManifest(const RepositoryName& repository, const Reference& reference) {
  return OciError(OciErrorCode::kManifestUnknown, absl::StrCat(repository.ToString(), " has no such manifest"),
                  ReferenceToString(reference));
}

absl::StatusOr<Digest> DigestOf(const ManifestPut& put) {
  const Digest* const expected = std::get_if<Digest>(&put.reference);
  Digest digest = ComputeDigest(expected != nullptr ? expected->algorithm() : DigestAlgorithm::kSha256, put.content);
  if (expected == nullptr || *expected == digest) return digest;
  return OciError(OciErrorCode::kDigestInvalid, "the content does not have the digest that it was pushed by",
                  absl::StrCat("pushed by ", expected->ToString(), ", has ", digest.ToString()));
}

constexpr policy::Tolerance kToleranceOfCaches = {.absent_children = true,
                                                  .absent_layers = true,
                                                  .wrong_child_sizes = true,
                                                  .absent_configs = true,
                                                  .wrong_blob_sizes = true};

policy::Tolerance ToleranceOf(const PolicyProvider& provider, const RepositoryName& repository, bool is_cache) {
  if (is_cache) return kToleranceOfCaches;
  const std::shared_ptr<const policy::Policy> policy = provider ? provider() : nullptr;
  return policy != nullptr ? policy->incomplete_manifests().For(repository) : policy::Tolerance();
}

std::set<Tag> TagsOf(const ManifestPut& put) {
  std::set<Tag> tags(put.tags.begin(), put.tags.end());
  if (const Tag* const tag = std::get_if<Tag>(&put.reference)) tags.insert(*tag);
  return tags;
}

void LockForCondition(const RepositoryName& repository, const DeletionCondition& condition, CatalogLocks* locks) {
  for (const Digest& manifest : condition.manifests_held) locks->Manifest(repository, manifest, LockMode::kShared);
}

absl::Status CheckPreconditions(kv::KvReader& transaction, const RepositoryName& repository, const ManifestPut& put) {
  if (put.preconditions.empty()) return absl::OkStatus();
  if (const Tag* const tag = std::get_if<Tag>(&put.reference)) {
    ASSIGN_OR_RETURN(const std::optional<Digest> named, ReadTag(transaction, repository, *tag));
    return put.preconditions.Check(named);
  }
  const auto& digest = std::get<Digest>(put.reference);
  ASSIGN_OR_RETURN(const std::optional<std::string> manifest, transaction.Get(keys::Manifest(repository, digest)));
  return put.preconditions.Check(manifest.has_value() ? std::optional(digest) : std::nullopt);
}

}  // namespace

absl::Status DeletionCondition::Check(kv::KvReader& transaction, const Digest& named) const {
  RETURN_IF_ERROR(preconditions.Check(named));
  return check ? check(transaction) : absl::OkStatus();
}

absl::StatusOr<ManifestPutResult> ManifestCatalog::Put(const Caller& caller, const RepositoryName& repository,
                                                       const ManifestPut& put) {
  absl::StatusOr<ManifestPutResult> result =
      repositories_->RunAfterInterruptedDeletion(repository, [&] { return PutUncounted(caller, repository, put); });
  const bool is_cache = !put.cache_of.empty();
  if (!is_cache && GetOciErrorCode(result.status()).has_value()) metrics_->CountManifestRejection();
  return result;
}

absl::StatusOr<ManifestPutResult> ManifestCatalog::PutUncounted(const Caller& caller, const RepositoryName& repository,
                                                                const ManifestPut& put) {
  ASSIGN_OR_RETURN(Digest digest, DigestOf(put));
  ASSIGN_OR_RETURN(ParsedManifest parsed, ParseManifest(put.content));
  const bool is_cache = !put.cache_of.empty();
  ASSIGN_OR_RETURN(ValidManifest manifest, is_cache ? ValidateCachedManifest(put.media_type, std::move(parsed))
                                                    : ValidateManifest(put.media_type, std::move(parsed)));
  const std::set<Tag> tags = TagsOf(put);

  const TagGuard guard(*policy_, caller, &repository);
  const policy::Tolerance tolerance = ToleranceOf(*policy_, repository, is_cache);

  CatalogLocks locks;
  LockNeeds(repository, manifest, guard.MayProtectFromAny() ? NeedLocks::kContentAndLinks : NeedLocks::kContent,
            &locks);
  locks.Manifest(repository, digest, LockMode::kExclusive);
  for (const Tag& tag : tags) locks.Tag(repository, tag, LockMode::kExclusive);
  ASSIGN_OR_RETURN(const RepositoryWrite write,
                   RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kPush, &locks, put.cache_of));

  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(write.Enter(transaction));
    RETURN_IF_ERROR(CheckPreconditions(transaction, repository, put));
    for (const Tag& tag : tags) {
      if (!is_cache) RETURN_IF_ERROR(guard.CheckPush(transaction, tag, digest));
    }
    ASSIGN_OR_RETURN(const std::vector<FoundNeed> needs, FindNeeds(transaction, repository, manifest, tolerance));
    const absl::Time now = clock_->Now();
    WriteManifest(transaction, repository, digest, put.content, manifest, needs, is_cache, now);
    for (const Tag& tag : tags) RETURN_IF_ERROR(WriteTag(transaction, repository, tag, digest, caller.account, now));
    RETURN_IF_ERROR(write.EnsureExists(transaction, now));
    return Failpoint("manifest.put.written");
  }));
  RETURN_IF_ERROR(Failpoint("manifest.put.committed"));
  if (!is_cache) metrics_->CountManifestPush(manifest.kind);
  return ManifestPutResult{.digest = std::move(digest), .subject = std::move(manifest.subject)};
}

absl::StatusOr<StoredManifest> ManifestCatalog::Get(const Caller& caller, const RepositoryName& repository,
                                                    const Reference& reference, bool metadata_only, kv::ReadTier tier) {
  kv::KvReader& kv = kv_->reader(tier);
  const Tag* const tag = std::get_if<Tag>(&reference);
  if (tag == nullptr) return GetByDigest(kv, caller, repository, std::get<Digest>(reference), metadata_only);
  absl::StatusOr<StoredManifest> manifest = GetByTag(kv, caller, repository, *tag, metadata_only);
  // HEAD counts as a pull: most clients first resolve a tag to its digest, and then read the manifest by that digest.
  if (pulls_ != nullptr && manifest.ok()) pulls_->Note(repository, *tag);
  return manifest;
}

absl::StatusOr<std::optional<std::string>> ManifestCatalog::ReadFor(kv::KvReader& kv, const Caller& caller,
                                                                    const RepositoryName& repository,
                                                                    const std::string& key) {
  if (!reads_->MustAsk(caller)) {
    absl::StatusOr<std::optional<std::string>> value = kv.Get(key);
    if (!reads_->MustAsk(caller)) return value;
  }
  const std::string wanted[] = {key, keys::Repository(repository)};
  ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> found, kv.MultiGet(wanted));
  RETURN_IF_ERROR(RepositoryReads::CheckValue(caller, repository, found[1]));
  return std::move(found[0]);
}

absl::StatusOr<StoredManifest> ManifestCatalog::Serve(const RepositoryName& repository, const Digest& digest,
                                                      absl::string_view value, bool metadata_only) {
  ASSIGN_OR_RETURN(ManifestRecord record, kv::ParseRecord<ManifestRecord>(keys::Manifest(repository, digest), value));
  if (pulls_ != nullptr && record.cached()) pulls_->NoteCached(repository, digest);
  StoredManifest manifest{.digest = digest,
                          .media_type = std::move(*record.mutable_media_type()),
                          .content = "",
                          .size_bytes = record.content().size()};
  if (!metadata_only) manifest.content = std::move(*record.mutable_content());
  return manifest;
}

absl::StatusOr<StoredManifest> ManifestCatalog::GetByDigest(kv::KvReader& kv, const Caller& caller,
                                                            const RepositoryName& repository, const Digest& digest,
                                                            bool metadata_only) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value,
                   ReadFor(kv, caller, repository, keys::Manifest(repository, digest)));
  if (!value.has_value()) return UnknownManifest(repository, digest);
  return Serve(repository, digest, *value, metadata_only);
}

absl::StatusOr<StoredManifest> ManifestCatalog::GetByTag(kv::KvReader& kv, const Caller& caller,
                                                         const RepositoryName& repository, const Tag& tag,
                                                         bool metadata_only) {
  for (int i = 0; i < kRestartsMax; ++i) {
    ASSIGN_OR_RETURN(const std::optional<std::string> named,
                     ReadFor(kv, caller, repository, keys::Tag(repository, tag)));
    if (!named.has_value()) return UnknownManifest(repository, tag);
    ASSIGN_OR_RETURN(const Digest digest, DigestOfTag(repository, tag, *named));
    ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(keys::Manifest(repository, digest)));
    if (value.has_value()) return Serve(repository, digest, *value, metadata_only);
    // Between the two reads another call deleted the manifest with its tags, or moved the tag: read the tag again.
  }
  return absl::DataLossError(
      absl::StrCat("the tag ", repository.ToString(), ":", tag.ToString(), " names no manifest"));
}

absl::Status ManifestCatalog::Delete(const Caller& caller, const RepositoryName& repository, const Reference& reference,
                                     const DeletionCondition& condition) {
  if (const Tag* const tag = std::get_if<Tag>(&reference)) return DeleteTag(caller, repository, *tag, condition);
  return DeleteByDigest(caller, repository, std::get<Digest>(reference), condition);
}

absl::Status ManifestCatalog::DeleteTag(const Caller& caller, const RepositoryName& repository, const Tag& tag,
                                        const DeletionCondition& condition) {
  const TagGuard guard(*policy_, caller, &repository);
  CatalogLocks locks;
  locks.Tag(repository, tag, LockMode::kExclusive);
  LockForCondition(repository, condition, &locks);
  ASSIGN_OR_RETURN(const RepositoryWrite write,
                   RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kRemoval, &locks));
  RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(write.Enter(transaction));
    ASSIGN_OR_RETURN(const std::optional<Digest> digest, ReadTag(transaction, repository, tag));
    if (!digest.has_value()) return UnknownManifest(repository, tag);
    RETURN_IF_ERROR(guard.CheckDeletion(tag));
    RETURN_IF_ERROR(condition.Check(transaction, *digest));
    RemoveTag(transaction, repository, tag, *digest);
    return Failpoint("manifest.delete_tag.written");
  }));
  RETURN_IF_ERROR(Failpoint("manifest.delete_tag.committed"));
  metrics_->CountTagDeletion();
  return absl::OkStatus();
}

absl::Status ManifestCatalog::DeleteByDigest(const Caller& caller, const RepositoryName& repository,
                                             const Digest& digest, const DeletionCondition& condition) {
  const TagGuard guard(*policy_, caller, &repository);
  const std::string key = keys::Manifest(repository, digest);
  for (int i = 0; i < kRestartsMax; ++i) {
    CatalogLocks locks;
    ASSIGN_OR_RETURN(const RepositoryWrite write,
                     RepositoryWrite::Plan(*kv_, caller, repository, RepositoryWrite::Kind::kRemoval, &locks));
    ASSIGN_OR_RETURN(const std::optional<ManifestRecord> record, kv::ReadRecord<ManifestRecord>(*kv_, key));
    if (!record.has_value()) return UnknownManifest(repository, digest);
    ASSIGN_OR_RETURN(const std::set<Digest> references, ReferencesOf(digest, *record));
    ASSIGN_OR_RETURN(const std::set<Tag> locked_tags, TagsOfManifest(*kv_, repository, digest));
    locks.Manifest(repository, digest, LockMode::kExclusive);
    for (const Digest& reference : references) locks.Blob(reference, LockMode::kShared);
    for (const Tag& tag : locked_tags) locks.Tag(repository, tag, LockMode::kExclusive);
    LockForCondition(repository, condition, &locks);

    bool start_over = false;
    RETURN_IF_ERROR(kv_->Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(write.Enter(transaction));
      ASSIGN_OR_RETURN(const std::set<Tag> tags, TagsOfManifest(transaction, repository, digest));
      start_over = !std::includes(locked_tags.begin(), locked_tags.end(), tags.begin(), tags.end());
      if (start_over) return absl::OkStatus();
      ASSIGN_OR_RETURN(const std::optional<ManifestRecord> current, kv::ReadRecord<ManifestRecord>(transaction, key));
      if (!current.has_value()) return UnknownManifest(repository, digest);
      RETURN_IF_ERROR(guard.CheckDeletionOf(transaction, digest, tags));
      RETURN_IF_ERROR(condition.Check(transaction, digest));
      for (const Tag& tag : tags) RemoveTag(transaction, repository, tag, digest);
      RETURN_IF_ERROR(RemoveManifest(transaction, repository, digest, current->subject(), references, clock_->Now()));
      return Failpoint("manifest.delete.written");
    }));
    if (start_over) continue;
    RETURN_IF_ERROR(Failpoint("manifest.delete.committed"));
    metrics_->CountManifestDeletion();
    return absl::OkStatus();
  }
  return absl::AbortedError(absl::StrCat("new tags of ", digest.ToString(), " keep arriving"));
}

}  // namespace entrepot::manifest
