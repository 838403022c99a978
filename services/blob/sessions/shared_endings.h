#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_ENDINGS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_ENDINGS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/sessions/session_census.h"
#include "services/blob/sessions/session_info.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/upload_claims.h"
#include "services/blob/sessions/versioned_records.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/digester.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// What requests on shared sessions work with. All pointers outlive them.
struct SharedParts {
  SessionRecords* reads = nullptr;
  VersionedRecords* records = nullptr;
  UploadClaims* claims = nullptr;
  SessionCensus* census = nullptr;
  StagingObjectStore* store = nullptr;
  const Clock* clock = nullptr;
  BlobMetrics* metrics = nullptr;
};

// Ends sessions that several replicas share: seals them as an object, or ends them without one. Thread-safe.
//
// Before an object is published, the session's record gets the digest and the size that it will have. From then on the
// session is sealed with that digest or not at all. So if a request publishes after another one took the session over,
// for example because its process was frozen, the object still has the bytes that the record promises.
class SharedEndings {
 public:
  using Record = storage::v1::UploadRecord;
  static constexpr size_t kSealedMax = 10'000;

  SharedEndings(const SharedParts& parts, kv::Durability object_durability)
      : parts_(parts), object_durability_(object_durability) {}

  // A session that its request seals.
  struct Content {
    // The record to be saved if the session continued, with the version that the request knows.
    Record record;
    Digester digester;
    // Null if the record has the bytes.
    std::unique_ptr<StagedUpload> staged;
    // Not null if `staged` is not.
    std::unique_ptr<UploadClaims::Held> claim;
    // Bytes that these ones replace are staged too.
    bool replaces_staged = false;
  };
  // If the digest is not `digest`, the session ends (kInvalidArgument, DIGEST_INVALID). If another request has sealed
  // it with `digest` meanwhile, gives its result. After any other error the session is as it was, except for its claim.
  absl::StatusOr<Blob> Seal(const UploadId& id, Content content, const Digest& digest);
  // For a session that an earlier request has marked to be sealed with this digest, whose bytes had this algorithm's
  // hash: the object, if that request published it; kNotFound otherwise. Keeps the claim.
  absl::StatusOr<Blob> SealPublished(const UploadId& id, const Record& record, UploadClaims::Held& claim,
                                     const Digest& digest);

  // Whether this process has sealed the session lately, for that owner.
  bool HasSealed(const UploadOwner& owner, const UploadId& id);

  struct Ending {
    UploadResult result = UploadResult::kCancelled;
    // The digest of the request, if its bytes had another one.
    std::string wrong_digest = {};
    // The owner did not ask for it.
    bool by_service = false;
  };
  // Ends the session and deletes its staged bytes, unless `check` of its record gives an error. If the bytes cannot be
  // deleted, the record leads to them.
  absl::Status End(const UploadId& id, const Ending& ending, const std::function<absl::Status(const Record&)>& check);

 private:
  absl::StatusOr<Blob> SealInRecord(const UploadId& id, Content& content, const Digest& digest);
  absl::StatusOr<Blob> SealStaged(const UploadId& id, Content& content, const Digest& digest);
  absl::Status Mark(const UploadId& id, const std::string& version, Record& record, const Digest& digest,
                    bool unverified);
  absl::StatusOr<Blob> RecordSealed(const UploadId& id, const std::string& version, Record record,
                                    const Digest& digest);
  // Ends a session whose bytes have the digest `found`. `published`: they are an object already.
  absl::Status WrongDigest(const UploadId& id, const std::string& version, const Digest& found, const Digest& wanted,
                           bool published = false);
  // The blob if another request has sealed the session so, else `status`.
  absl::StatusOr<Blob> SealedByAnother(const UploadId& id, const Digest& digest, const absl::Status& status);
  absl::StatusOr<Blob> Sealed(const UploadId& id, const Record& record);

  const SharedParts parts_;
  const kv::Durability object_durability_;
  absl::Mutex mutex_;
  LruMap<std::string, SessionOwner> sealed_ ABSL_GUARDED_BY(mutex_){kSealedMax};
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_ENDINGS_H_
