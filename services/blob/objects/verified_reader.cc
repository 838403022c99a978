#include "services/blob/objects/verified_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/blob/io/file_io.h"
#include "services/blob/objects/shared_hash.h"
#include "services/core/digester.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

absl::Status CheckRange(const StorageKey& key, uint64_t size, const ByteRange& range, bool whole) {
  const bool has = range.offset_bytes <= size && range.length_bytes <= size - range.offset_bytes;
  if (has && (!whole || range.offset_bytes + range.length_bytes == size)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("object ", key.ToString(), " has ", size, " bytes, which does not match its record"));
}

class FileReader : public ObjectReader {
 public:
  FileReader(OwnedFd file, SystemCalls* calls) : file_(std::move(file)), calls_(*calls) {}

  absl::StatusOr<size_t> ReadAt(char* data, size_t size, uint64_t offset_bytes) override {
    return PReadFully(calls_, file_.get(), data, size, offset_bytes);
  }

 private:
  const OwnedFd file_;
  SystemCalls& calls_;
};

}  // namespace

absl::StatusOr<ReadContent> VerifiedReader::Open(const StorageKey& key, const ByteRange& range,
                                                 const std::optional<Digest>& whole, kv::ReadTier tier,
                                                 absl::string_view redirected_client, const std::string& requester) {
  ASSIGN_OR_RETURN(OpenObject object, tier == kv::ReadTier::kMemory ? reader_.OpenInMemory(key) : reader_.Open(key));
  if (absl::Status status = CheckRange(key, object.size_bytes, range, whole.has_value()); !status.ok()) {
    metrics_.CountCorruptRead();
    return status;
  }
  if (auto* bytes = std::get_if<std::string>(&object.content)) return OpenValue(std::move(*bytes), range, whole);
  if (auto* reader = std::get_if<std::unique_ptr<ObjectReader>>(&object.content)) (*reader)->SetRequester(requester);
  return OpenVersioned(key, std::move(object), range, whole, redirected_client);
}

absl::StatusOr<ReadContent> VerifiedReader::OpenValue(std::string bytes, const ByteRange& range,
                                                      const std::optional<Digest>& whole) {
  if (whole.has_value() && ComputeDigest(whole->algorithm(), bytes) != *whole) {
    metrics_.CountCorruptRead();
    return WrongDigest(*whole);
  }
  if (range.length_bytes != bytes.size()) bytes = bytes.substr(range.offset_bytes, range.length_bytes);
  return bytes;
}

absl::StatusOr<ReadContent> VerifiedReader::OpenVersioned(const StorageKey& key, OpenObject object,
                                                          const ByteRange& range, const std::optional<Digest>& whole,
                                                          absl::string_view redirected_client) {
  ObjectTrust trust;
  if (whole.has_value()) {
    trust = verified_.Find(key, object.version, *whole);
  } else {
    trust = verified_.IsCorrupt(key, object.version) ? ObjectTrust::kCorrupt : ObjectTrust::kGood;
  }
  if (trust == ObjectTrust::kCorrupt) {
    metrics_.CountCorruptRead();
    return absl::DataLossError(absl::StrCat("object ", key.ToString(), " is known to be corrupt"));
  }
  if (auto* file = std::get_if<OwnedFd>(&object.content)) {
    if (trust == ObjectTrust::kGood) return std::move(*file);
    return std::make_unique<VerifyingStream>(std::make_unique<FileReader>(std::move(*file), &calls_),
                                             range.offset_bytes, object.size_bytes,
                                             verified_.HashOf(key, object.version, *whole), &metrics_);
  }
  auto& reader = std::get<std::unique_ptr<ObjectReader>>(object.content);
  if (!redirected_client.empty()) {
    ASSIGN_OR_RETURN(std::string url, reader->UrlFor(redirected_client));
    if (!url.empty()) return ObjectUrl{std::move(url)};
  }
  std::shared_ptr<SharedHash> hash;
  if (trust == ObjectTrust::kUnknown) {
    // Its own: those who share a hash also read what others will read, which costs a request each time.
    hash = std::make_shared<SharedHash>(*whole, object.size_bytes,
                                        [this, key, version = object.version, digest = *whole](bool good) {
                                          verified_.Record(key, version, digest, good);
                                        });
  }
  return std::make_unique<VerifyingStream>(std::move(reader), range.offset_bytes,
                                           range.offset_bytes + range.length_bytes, std::move(hash), &metrics_);
}

}  // namespace entrepot::blob
