#include "services/kv/rocksdb/rocksdb_wal_end.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/kv/rocksdb/rocksdb_crc32c.h"

namespace entrepot::kv {
namespace {

constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
constexpr size_t kRecycledHeaderBytes = 11;
constexpr size_t kSectorBytes = 512;

enum FragmentType : uint8_t { kZero = 0, kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint32_t Byte(absl::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

uint32_t Unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

struct Header {
  explicit Header(absl::string_view bytes)
      : crc(Unmask(Byte(bytes, 0) | Byte(bytes, 1) << 8 | Byte(bytes, 2) << 16 | Byte(bytes, 3) << 24)),
        length(Byte(bytes, 4) | Byte(bytes, 5) << 8),
        type(static_cast<uint8_t>(bytes[6])) {}

  uint32_t crc;
  size_t length;
  uint8_t type;
};

size_t WithoutZeroTail(absl::string_view log) {
  const size_t last = log.find_last_not_of('\0');
  return last == absl::string_view::npos ? 0 : last + 1;
}

size_t RoundUpToSector(size_t bytes) { return (bytes + kSectorBytes - 1) / kSectorBytes * kSectorBytes; }

bool ChecksumHolds(absl::string_view log, size_t offset, const Header& header, size_t header_bytes = kHeaderBytes) {
  if (offset + header_bytes + header.length > log.size()) return false;
  Crc32c crc;
  crc.Add(log.substr(offset + kHeaderBytes - 1, header_bytes + header.length - kHeaderBytes + 1));
  return crc.value() == header.crc;
}

// An intact fragment of an unknown type. Damage to a known type does not leave a valid checksum.
bool IsIntactOfUnknownType(absl::string_view log, size_t offset, const Header& header) {
  return header.type > kLast &&
         (ChecksumHolds(log, offset, header) || ChecksumHolds(log, offset, header, kRecycledHeaderBytes));
}

// Whether the checksum is that of a shorter payload: then the fragment's length is damaged, and its end is not missing.
bool ChecksumHoldsForALength(absl::string_view log, size_t offset, const Header& header) {
  Crc32c crc;
  crc.Add(log.substr(offset + kHeaderBytes - 1, 1));
  for (const char& byte : log.substr(offset + kHeaderBytes, kBlockBytes)) {
    if (crc.value() == header.crc) return true;
    crc.Add(absl::string_view(&byte, 1));
  }
  return crc.value() == header.crc;
}

absl::Status Damaged(absl::string_view what, size_t offset) {
  return absl::DataLossError(absl::StrCat(what, " at offset ", offset));
}

}  // namespace

absl::StatusOr<uint64_t> FindWalEnd(absl::string_view log) {
  const size_t used = WithoutZeroTail(log);
  // All bytes before this offset were written.
  const size_t written = std::min(log.size(), RoundUpToSector(used));
  // All records before this offset are whole.
  size_t whole = 0;
  bool in_record = false;
  size_t offset = 0;
  while (offset < used) {
    const size_t block_end = (offset / kBlockBytes + 1) * kBlockBytes;
    if (block_end - offset < kHeaderBytes) {
      offset = block_end;
      continue;
    }
    if (offset + kHeaderBytes > written) break;
    const Header header(log.substr(offset));
    const size_t end = offset + kHeaderBytes + header.length;
    if (IsIntactOfUnknownType(log, offset, header)) {
      return absl::UnimplementedError(absl::StrCat("a record of type ", header.type, " at offset ", offset));
    }
    if (header.type == kZero || header.type > kLast) return Damaged("a record with an invalid type", offset);
    if (end > block_end) return Damaged("a record with an impossible length", offset);
    if (!ChecksumHolds(log, offset, header)) {
      if (end <= written || ChecksumHoldsForALength(log, offset, header)) {
        return Damaged("a record with a wrong checksum", offset);
      }
      break;
    }
    const bool continues = header.type == kMiddle || header.type == kLast;
    if (continues != in_record) return Damaged("an incomplete record", offset);
    in_record = header.type == kFirst || header.type == kMiddle;
    offset = end;
    if (!in_record) whole = offset;
  }
  return whole;
}

}  // namespace entrepot::kv
