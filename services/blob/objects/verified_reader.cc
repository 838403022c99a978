#include "services/blob/objects/verified_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
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

}  // namespace

absl::StatusOr<ReadContent> VerifiedReader::Open(const StorageKey& key, const ByteRange& range,
                                                 const std::optional<Digest>& whole, kv::ReadTier tier) {
  ASSIGN_OR_RETURN(OpenObject object, tier == kv::ReadTier::kMemory ? reader_.OpenInMemory(key) : reader_.Open(key));
  if (absl::Status status = CheckRange(key, object.size_bytes, range, whole.has_value()); !status.ok()) {
    metrics_.CountCorruptRead();
    return status;
  }
  if (auto* bytes = std::get_if<std::string>(&object.content)) return OpenValue(std::move(*bytes), range, whole);
  return OpenFile(key, std::move(object), range, whole);
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

absl::StatusOr<ReadContent> VerifiedReader::OpenFile(const StorageKey& key, OpenObject object, const ByteRange& range,
                                                     const std::optional<Digest>& whole) {
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
  OwnedFd& file = std::get<OwnedFd>(object.content);
  if (trust == ObjectTrust::kGood) return std::move(file);
  return std::make_unique<VerifyingStream>(std::move(file), object.size_bytes, range.offset_bytes,
                                           verified_.HashOf(key, object.version, *whole), &calls_, &metrics_);
}

}  // namespace entrepot::blob
