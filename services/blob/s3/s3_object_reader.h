#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_OBJECT_READER_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_OBJECT_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "services/blob/objects/object_reader.h"
#include "services/blob/s3/object_urls.h"
#include "services/blob/s3/s3_bucket.h"

namespace entrepot::blob::s3 {

// Reads an object in S3. Reads that follow each other share one response; one that was cut, or lost its connection
// because its client is slow, is continued with another request, three times in a row at most.
class S3ObjectReader : public ObjectReader {
 public:
  // `bucket` and `urls` outlive this. Without `urls` no client gets a URL.
  S3ObjectReader(std::string key, S3Head head, S3Bucket* bucket, const ObjectUrls* urls = nullptr)
      : key_(std::move(key)), head_(std::move(head)), bucket_(*bucket), urls_(urls), end_(head_.size_bytes) {}

  void WillRead(uint64_t offset_bytes, uint64_t length_bytes) override { end_ = offset_bytes + length_bytes; }
  void SetRequester(const std::string& requester) override { requester_ = requester; }
  absl::StatusOr<size_t> ReadAt(char* data, size_t size, uint64_t offset_bytes) override;
  absl::StatusOr<std::string> UrlFor(absl::string_view client_address) override;

 private:
  absl::Status Open(uint64_t offset_bytes, uint64_t size);

  const std::string key_;
  const S3Head head_;
  S3Bucket& bucket_;
  const ObjectUrls* const urls_;
  std::string requester_;
  // Where the caller will stop.
  uint64_t end_;
  std::unique_ptr<WireResponse> body_;
  uint64_t body_offset_ = 0;
  uint64_t body_end_ = 0;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_OBJECT_READER_H_
