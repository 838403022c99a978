#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_BUCKET_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_BUCKET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/blob/s3/s3_client.h"

namespace entrepot::blob::s3 {

struct S3Head {
  uint64_t size_bytes = 0;
  // Without quotes.
  std::string etag = {};
  absl::Time modified_at = {};
};

struct S3Listed {
  std::string key = {};
  uint64_t size_bytes = 0;
  absl::Time modified_at = {};
};

struct S3Listing {
  std::vector<S3Listed> objects;
  bool more = false;
};

struct S3OpenUpload {
  std::string key = {};
  std::string upload_id = {};
  absl::Time begun_at = {};
};

// Who decides how fast a body is read.
enum class Pace {
  kOurs,
  // A client that may be slow: WireRequest::paced_by_client.
  kClient,
};

// A part of a multipart upload. The numbers may have gaps.
struct S3Part {
  size_t number = 0;
  // Without quotes.
  std::string etag = {};
};

// What a server does with If-None-Match.
enum class Conditions {
  kKept,
  // Answers that it does not know them.
  kRefused,
  // Writes in any case.
  kIgnored,
};

enum class CompleteResult {
  kCompleted,
  // The upload was completed or aborted before.
  kNoSuchUpload,
  // A part is not there, or has other bytes now.
  kInvalidPart,
  // The key has an object already.
  kExists,
};

// The operations of S3 that the store needs, on one bucket. Errors are kUnavailable unless stated; those of the bucket
// itself (absent, access denied) are never kNotFound. Thread-safe; calls block.
class S3Bucket {
 public:
  static constexpr size_t kBulkDeleteMax = 1000;
  static constexpr size_t kSingleDeletes = 2;

  // The most that one copy may have, and the size of the pieces in which larger objects are copied.
  struct CopyLimits {
    uint64_t bytes_max = uint64_t{5} * 1000 * 1000 * 1000;
    uint64_t piece_bytes = 1 << 30;
  };

  // `object_headers` are sent when an object is made: encryption, storage class. `client` outlives this.
  S3Bucket(S3Client* client, Fields object_headers) : S3Bucket(client, std::move(object_headers), CopyLimits()) {}
  S3Bucket(S3Client* client, Fields object_headers, CopyLimits copy_limits)
      : client_(*client), object_headers_(std::move(object_headers)), copy_limits_(copy_limits) {}

  // Reads a small object. OK, or the reason why the server cannot be used: kUnavailable, or kNotFound. Waits for the
  // answer for two seconds, and does not repeat the request.
  absl::Status Probe(const std::string& key);
  // kNotFound (BLOB_UNKNOWN).
  absl::StatusOr<S3Head> Head(const std::string& key);
  // The whole object. kNotFound (BLOB_UNKNOWN); kDataLoss if it is larger than expected.
  absl::StatusOr<std::string> Get(const std::string& key, uint64_t size_bytes_max);
  // `length_bytes` > 0 bytes of an object from an offset on. kNotFound; kDataLoss if it has another ETag or size.
  // `client`: WireRequest::client.
  absl::StatusOr<std::unique_ptr<WireResponse>> GetRange(const std::string& key, const S3Head& head,
                                                         uint64_t offset_bytes, uint64_t length_bytes, Pace pace,
                                                         const std::string& client = "");

  // Finds out what the server does with conditions, by an object of that key, which stays. Unless it keeps them, none
  // are sent any more.
  absl::StatusOr<Conditions> ProbeConditions(const std::string& key);

  // False, and nothing was written, if `if_absent` and the key has an object already; also if an earlier try of this
  // call wrote it. Servers that do not know conditions write in any case.
  absl::StatusOr<bool> Put(const std::string& key, absl::string_view bytes, bool if_absent);
  // OK if there is none.
  absl::Status Delete(const std::string& key);
  // How many keys one DeleteAll() should have: 1,000, or few if the server does not know DeleteObjects.
  size_t delete_batch() const { return deletes_in_bulk_.load() ? kBulkDeleteMax : kSingleDeletes; }
  // Deletes at most kBulkDeleteMax keys, by one request if the server knows DeleteObjects. A status for each key, in
  // their order: OK also if there is none.
  std::vector<absl::Status> DeleteAll(const std::vector<std::string>& keys);
  // A copy within the bucket, of any size.
  absl::Status Copy(const std::string& from, const std::string& to, uint64_t size_bytes);
  // In the order of the keys.
  absl::StatusOr<S3Listing> List(const std::string& prefix, const std::string& start_after, size_t limit);

  absl::StatusOr<std::string> CreateUpload(const std::string& key);
  // The ETag, without quotes. kNotFound (BLOB_UPLOAD_UNKNOWN) if the upload is gone.
  absl::StatusOr<std::string> UploadPart(const std::string& key, const std::string& upload_id, size_t number,
                                         absl::string_view bytes);
  // May take minutes. Never replaces an object, if the server knows conditions. `parts` are in the order of their
  // numbers.
  absl::StatusOr<CompleteResult> Complete(const std::string& key, const std::string& upload_id,
                                          const std::vector<S3Part>& parts);
  // OK if there is none.
  absl::Status Abort(const std::string& key, const std::string& upload_id);
  // Some open uploads of keys with that prefix; not all servers list those of a prefix that is not a whole key.
  absl::StatusOr<std::vector<S3OpenUpload>> ListUploads(const std::string& prefix);

 private:
  // kUnimplemented: the server does not know DeleteObjects. Sets the status of each key that it could not delete.
  absl::Status DeleteInBulk(const std::vector<std::string>& keys, std::vector<absl::Status>* statuses);
  absl::Status CopyParts(const std::string& from, const std::string& to, uint64_t size_bytes);
  std::string CopySource(const std::string& key) const;

  S3Client& client_;
  const Fields object_headers_;
  const CopyLimits copy_limits_;
  // Cleared when the server refuses or ignores If-None-Match.
  std::atomic<bool> conditions_{true};
  // Cleared when the server does not know DeleteObjects.
  std::atomic<bool> deletes_in_bulk_{true};
};

// The ETag of an object that was completed from these parts, if their ETags are MD5 digests; else empty.
std::string EtagOfParts(const std::vector<S3Part>& parts);
// 32 hex digits.
std::string Md5Hex(absl::string_view bytes);

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_BUCKET_H_
