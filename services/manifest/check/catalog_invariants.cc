#include "services/manifest/check/catalog_invariants.h"

#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digester.h"
#include "services/core/media_type.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/manifest_writes.h"
#include "services/manifest/format/manifest_parser.h"
#include "services/manifest/format/manifest_validator.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/tag_record.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using keys::Decoded;
using keys::Kind;
using storage::v1::BlobRecord;
using storage::v1::CollectionRecord;
using storage::v1::DeleteIntentRecord;
using storage::v1::FetchClaimRecord;
using storage::v1::ManifestRecord;
using storage::v1::ManifestUseRecord;
using storage::v1::PullRecord;
using storage::v1::ReferenceRecord;
using storage::v1::ReferrerRecord;
using storage::v1::RepositoryRecord;
using storage::v1::ScrubRecord;

constexpr size_t kObjectsAPage = 1000;

// Whether a record has the artifact type of its manifest. Earlier versions stored it without its parameters.
bool IsArtifactType(absl::string_view stored, absl::string_view own) {
  return stored == own || stored == absl::StripAsciiWhitespace(own.substr(0, own.find(';')));
}

class Checker {
 public:
  Checker(kv::KvReader& kv, const InvariantOptions& options) : kv_(kv), options_(options) {}

  absl::StatusOr<std::vector<std::string>> Run() && {
    for (const absl::string_view prefix : keys::Prefixes()) {
      RecordCursor cursor(&kv_, std::string(prefix), "");
      for (;;) {
        ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
        if (entry == nullptr) break;
        RETURN_IF_ERROR(CheckEntry(*entry));
        if (violations_.size() >= options_.violations_max) return std::move(violations_);
      }
    }
    if (options_.list_objects) RETURN_IF_ERROR(CheckObjects());
    return std::move(violations_);
  }

 private:
  template <typename... Parts>
  void Violated(absl::string_view invariant, const Parts&... parts) {
    violations_.push_back(absl::StrCat(invariant, ": ", parts...));
  }

  absl::StatusOr<bool> Exists(const std::string& key) {
    ASSIGN_OR_RETURN(const std::optional<std::string> value, kv_.Get(key));
    return value.has_value();
  }

  // nullopt also if the record cannot be parsed: CheckEntry() reports that once, for the record itself.
  template <typename Record>
  absl::StatusOr<std::optional<Record>> ReadIfReadable(const std::string& key) {
    absl::StatusOr<std::optional<Record>> record = kv::ReadRecord<Record>(kv_, key);
    if (absl::IsDataLoss(record.status())) return std::nullopt;
    return record;
  }

  absl::Status CheckEntry(const kv::KeyValue& entry) {
    const absl::StatusOr<Decoded> key = keys::Decode(entry.key);
    absl::Status status = key.ok() ? Dispatch(*key, entry) : key.status();
    // kDataLoss is about the record, not about the KV.
    if (!absl::IsDataLoss(status)) return status;
    Violated("record", status.message());
    return absl::OkStatus();
  }

  absl::Status Dispatch(const Decoded& key, const kv::KeyValue& entry) {
    switch (key.kind) {
      case Kind::kBlob:
        return CheckBlob(*key.digest, entry);
      case Kind::kLink:
        return CheckLink(key);
      case Kind::kManifest:
        return CheckManifest(*key.repository, *key.digest, entry);
      case Kind::kTag:
        return CheckTag(*key.repository, *key.tag);
      case Kind::kTagOfManifest:
        return CheckTagOfManifest(key);
      case Kind::kReferrer:
        return CheckReferrer(key);
      case Kind::kReference:
        return CheckReference(key, entry);
      case Kind::kRepository:
        return CheckRepositoryRecord(*key.repository, entry);
      case Kind::kDeleteIntent:
        return kv::ParseRecord<DeleteIntentRecord>(entry.key, entry.value).status();
      case Kind::kPull:
        return CheckPull(*key.repository, *key.tag, entry);
      case Kind::kManifestUse:
        return CheckManifestUse(*key.repository, *key.digest, entry);
      case Kind::kCollection:
        return kv::ParseRecord<CollectionRecord>(entry.key, entry.value).status();
      case Kind::kScrub:
        return kv::ParseRecord<ScrubRecord>(entry.key, entry.value).status();
      case Kind::kFetchClaim:
        return kv::ParseRecord<FetchClaimRecord>(entry.key, entry.value).status();
      case Kind::kFormat:
      case Kind::kReview:
      case Kind::kPullTracking:
      case Kind::kStoreBinding:
      case Kind::kClockState:
      case Kind::kObjectRemovals:
      case Kind::kDeletionPause:
      case Kind::kWorkLeases:
      case Kind::kJob:
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status CheckBlob(const Digest& digest, const kv::KeyValue& entry) {
    ASSIGN_OR_RETURN(const BlobRecord record, kv::ParseRecord<BlobRecord>(entry.key, entry.value));
    const absl::StatusOr<StorageKey> storage_key = StorageKey::Parse(record.storage_key());
    if (!storage_key.ok() || record.generation() == 0 || record.state() == BlobRecord::STATE_UNSPECIFIED) {
      Violated("record", digest.ToString(), " is incomplete");
      return absl::OkStatus();
    }
    if (!storage_keys_.insert(storage_key->ToString()).second) {
      Violated("I2", "two blobs have the object ", storage_key->ToString());
    }
    RETURN_IF_ERROR(CheckHasNoIntent(digest, *storage_key));
    if (options_.check_object && !record.has_corrupt_since()) {
      const absl::Status object = options_.check_object(*storage_key, record.size_bytes());
      if (!object.ok()) Violated("I1", digest.ToString(), " at ", storage_key->ToString(), ": ", object.message());
    }
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> references,
                     kv_.Scan({.prefix = keys::ReferencesTo(digest), .start_after = "", .limit = 1}));
    if (record.state() == BlobRecord::CORRUPT && !references.empty() && options_.report_corrupt) {
      Violated("I1", digest.ToString(), " is CORRUPT, and a manifest refers to it");
    }
    return CheckWillBeReviewed(digest, record, !references.empty());
  }

  absl::Status CheckHasNoIntent(const Digest& digest, const StorageKey& storage_key) {
    ASSIGN_OR_RETURN(const std::optional<DeleteIntentRecord> intent,
                     ReadIfReadable<DeleteIntentRecord>(keys::DeleteIntent(storage_key)));
    if (!intent.has_value()) return absl::OkStatus();
    if (!intent->suspect()) {
      Violated("I2", "the bytes ", storage_key.ToString(), " of ", digest.ToString(), " are deletable");
    } else if (intent->has_quarantined_at()) {
      Violated("I2", "the bytes ", storage_key.ToString(), " of ", digest.ToString(), " were quarantined as an orphan");
    }
    // A suspect that is not quarantined may belong to a blob: it is going to be unmarked.
    return absl::OkStatus();
  }

  absl::Status CheckObjects() {
    std::string position;
    do {
      ASSIGN_OR_RETURN(StoredObjectPage page, options_.list_objects(position, kObjectsAPage));
      for (const StoredObject& object : page.objects) {
        if (storage_keys_.contains(object.storage_key.ToString())) continue;
        ASSIGN_OR_RETURN(const bool intended, Exists(keys::DeleteIntent(object.storage_key)));
        if (!intended) Violated("I4", "nothing refers to the object ", object.storage_key.ToString());
        if (violations_.size() >= options_.violations_max) return absl::OkStatus();
      }
      position = std::move(page.next);
    } while (!position.empty());
    return absl::OkStatus();
  }

  absl::Status CheckWillBeReviewed(const Digest& digest, const BlobRecord& record, bool is_needed) {
    if (record.has_review_due()) {
      ASSIGN_OR_RETURN(const bool queued, Exists(keys::Review(FromTimestamp(record.review_due()), digest)));
      if (!queued) Violated("I5", digest.ToString(), " has lost its entry in the review queue");
      return absl::OkStatus();
    }
    if (is_needed && record.state() != BlobRecord::CONDEMNED) return absl::OkStatus();
    RETURN_IF_ERROR(ReadQueue());
    if (queued_->contains(digest.ToString())) return absl::OkStatus();
    Violated("I5", digest.ToString(), " has no reference and no entry in the review queue");
    return absl::OkStatus();
  }

  // The queue is sorted by time: to find the entries of one blob, all of it must be read.
  absl::Status ReadQueue() {
    if (queued_.has_value()) return absl::OkStatus();
    queued_.emplace();
    RecordCursor cursor(&kv_, keys::Reviews(), "");
    for (;;) {
      ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
      if (entry == nullptr) return absl::OkStatus();
      const absl::StatusOr<Decoded> key = keys::Decode(entry->key);
      if (key.ok()) queued_->insert(key->digest->ToString());
    }
  }

  absl::Status CheckLink(const Decoded& key) {
    ASSIGN_OR_RETURN(const bool blob, Exists(keys::Blob(*key.digest)));
    if (!blob)
      Violated("record", key.repository->ToString(), " is linked to ", key.digest->ToString(),
               ", which does not exist");
    return CheckRepository(*key.repository);
  }

  absl::Status CheckRepository(const RepositoryName& repository) {
    ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record,
                     ReadIfReadable<RepositoryRecord>(keys::Repository(repository)));
    if (!record.has_value()) {
      Violated("record", "the repository ", repository.ToString(), " has content but no record");
    } else if (record->deleted() && !record->emptying()) {
      Violated("record", "the repository ", repository.ToString(), " is deleted but has content");
    }
    return absl::OkStatus();
  }

  absl::Status CheckRepositoryRecord(const RepositoryName& repository, const kv::KeyValue& entry) {
    ASSIGN_OR_RETURN(const RepositoryRecord record, kv::ParseRecord<RepositoryRecord>(entry.key, entry.value));
    const bool fits = record.has_created_at() && (!record.emptying() || record.deleted()) &&
                      (!record.deleted() || record.has_deleted_at());
    if (!fits) Violated("record", "the record of the repository ", repository.ToString(), " is inconsistent");
    return absl::OkStatus();
  }

  absl::Status CheckManifest(const RepositoryName& repository, const Digest& digest, const kv::KeyValue& entry) {
    ASSIGN_OR_RETURN(const ManifestRecord record, kv::ParseRecord<ManifestRecord>(entry.key, entry.value));
    RETURN_IF_ERROR(CheckRepository(repository));
    const std::string name = absl::StrCat(repository.ToString(), "@", digest.ToString());
    if (!(ComputeDigest(digest.algorithm(), record.content()) == digest)) {
      Violated("I6", "the content of ", name, " has changed");
      return absl::OkStatus();
    }
    const absl::StatusOr<ValidManifest> manifest = Reread(record);
    if (!manifest.ok()) {
      Violated("I6", name, " cannot be parsed: ", manifest.status().message());
      return absl::OkStatus();
    }
    for (const ManifestNeed& need : manifest->needs) {
      if (need.may_be_missing) continue;
      ASSIGN_OR_RETURN(const bool referred, Exists(keys::Reference(need.digest, repository, digest)));
      if (!referred) Violated("I1", name, " needs ", need.digest.ToString(), ", but has no reference to it");
    }
    return CheckSubject(repository, digest, record, *manifest);
  }

  static absl::StatusOr<ValidManifest> Reread(const ManifestRecord& record) {
    ASSIGN_OR_RETURN(MediaType media_type, MediaType::Parse(record.media_type()));
    ASSIGN_OR_RETURN(ParsedManifest parsed, ParseManifest(record.content()));
    return ValidateStoredManifest(std::move(media_type), std::move(parsed));
  }

  absl::Status CheckSubject(const RepositoryName& repository, const Digest& digest, const ManifestRecord& record,
                            const ValidManifest& manifest) {
    const std::string subject = manifest.subject.has_value() ? manifest.subject->ToString() : "";
    if (record.subject() != subject || !IsArtifactType(record.artifact_type(), manifest.artifact_type)) {
      Violated("record", repository.ToString(), "@", digest.ToString(), " differs from its record");
    }
    if (!manifest.subject.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::optional<ReferrerRecord> referrer,
                     ReadIfReadable<ReferrerRecord>(keys::Referrer(repository, *manifest.subject, digest)));
    const bool fits =
        referrer.has_value() && referrer->media_type() == record.media_type() &&
        referrer->size_bytes() == record.content().size() && referrer->artifact_type() == record.artifact_type() &&
        std::map<std::string, std::string>(referrer->annotations().begin(), referrer->annotations().end()) ==
            manifest.annotations;
    if (!fits) {
      Violated("record", repository.ToString(), "@", digest.ToString(), " is not among the referrers of ", subject);
    }
    return absl::OkStatus();
  }

  absl::Status CheckReferrer(const Decoded& key) {
    ASSIGN_OR_RETURN(const std::optional<ManifestRecord> manifest,
                     ReadIfReadable<ManifestRecord>(keys::Manifest(*key.repository, *key.manifest)));
    if (manifest.has_value() && manifest->subject() == key.digest->ToString()) return absl::OkStatus();
    Violated("record", "a referrer of ", key.repository->ToString(), "@", key.digest->ToString(), ", ",
             key.manifest->ToString(), ", does not refer to it");
    return absl::OkStatus();
  }

  absl::Status CheckReference(const Decoded& key, const kv::KeyValue& entry) {
    ASSIGN_OR_RETURN(const ReferenceRecord record, kv::ParseRecord<ReferenceRecord>(entry.key, entry.value));
    const std::string name = absl::StrCat(key.repository->ToString(), "@", key.manifest->ToString());
    ASSIGN_OR_RETURN(const std::optional<ManifestRecord> manifest,
                     ReadIfReadable<ManifestRecord>(keys::Manifest(*key.repository, *key.manifest)));
    if (!manifest.has_value()) {
      Violated("record", key.digest->ToString(), " has a reference from ", name, ", which does not exist");
      return absl::OkStatus();
    }
    const absl::StatusOr<std::set<Digest>> references = ReferencesOf(*key.manifest, *manifest);
    if (references.ok() && references->count(*key.digest) == 0) {
      Violated("record", key.digest->ToString(), " has a reference from ", name, ", which does not refer to it");
    }
    // A child of an index may be deleted while the index lists it.
    if (record.to_manifest() || record.absent()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> blob, ReadIfReadable<BlobRecord>(keys::Blob(*key.digest)));
    // CheckBlob() reports a CORRUPT blob.
    if (!blob.has_value() || blob->state() == BlobRecord::CONDEMNED) {
      Violated("I1", key.digest->ToString(), " has a reference from ", name, ", but is not LIVE");
    }
    return absl::OkStatus();
  }

  absl::Status CheckTag(const RepositoryName& repository, const Tag& tag) {
    RETURN_IF_ERROR(CheckRepository(repository));
    const std::string name = absl::StrCat(repository.ToString(), ":", tag.ToString());
    ASSIGN_OR_RETURN(const std::optional<Digest> digest, ReadTag(kv_, repository, tag));
    if (!digest.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool manifest, Exists(keys::Manifest(repository, *digest)));
    if (!manifest) Violated("I6", name, " names ", digest->ToString(), ", which does not exist");
    ASSIGN_OR_RETURN(const bool listed, Exists(keys::TagOfManifest(repository, *digest, tag)));
    if (!listed) Violated("record", name, " is not among the tags of ", digest->ToString());
    return absl::OkStatus();
  }

  absl::Status CheckPull(const RepositoryName& repository, const Tag& tag, const kv::KeyValue& entry) {
    RETURN_IF_ERROR(kv::ParseRecord<PullRecord>(entry.key, entry.value).status());
    ASSIGN_OR_RETURN(const bool tagged, Exists(keys::Tag(repository, tag)));
    if (!tagged)
      Violated("record", repository.ToString(), ":", tag.ToString(), " has a pull record but does not exist");
    return absl::OkStatus();
  }

  absl::Status CheckManifestUse(const RepositoryName& repository, const Digest& digest, const kv::KeyValue& entry) {
    RETURN_IF_ERROR(kv::ParseRecord<ManifestUseRecord>(entry.key, entry.value).status());
    ASSIGN_OR_RETURN(const std::optional<ManifestRecord> manifest,
                     ReadIfReadable<ManifestRecord>(keys::Manifest(repository, digest)));
    if (!manifest.has_value() || !manifest->cached()) {
      Violated("record", repository.ToString(), "@", digest.ToString(),
               " has a record of its last use, but is not a manifest of a cache");
    }
    return absl::OkStatus();
  }

  absl::Status CheckTagOfManifest(const Decoded& key) {
    ASSIGN_OR_RETURN(const std::optional<Digest> digest, ReadTag(kv_, *key.repository, *key.tag));
    if (digest.has_value() && *digest == *key.digest) return absl::OkStatus();
    Violated("record", key.repository->ToString(), ":", key.tag->ToString(), " is among the tags of ",
             key.digest->ToString(), ", but does not name it");
    return absl::OkStatus();
  }

  kv::KvReader& kv_;
  const InvariantOptions& options_;
  std::vector<std::string> violations_;
  absl::flat_hash_set<std::string> storage_keys_;
  // The digests in the review queue; read when they are first needed.
  std::optional<absl::flat_hash_set<std::string>> queued_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> CheckInvariants(kv::KvReader& kv, const InvariantOptions& options) {
  return Checker(kv, options).Run();
}

}  // namespace entrepot::manifest
