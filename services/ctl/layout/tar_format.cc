#include "services/ctl/layout/tar_format.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>

#include "absl/base/casts.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

// Longer names and pax headers are not those of an image layout.
constexpr uint64_t kExtensionBytesMax = 64 << 10;

struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char owner[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(Header) == kTarBlockBytes);

template <size_t N>
absl::string_view Text(const char (&field)[N]) {
  return {field, strnlen(field, N)};
}

// The sum of the header's bytes, with spaces for the sum itself.
uint64_t ChecksumOf(Header header) {
  std::memset(header.checksum, ' ', sizeof(header.checksum));
  uint64_t sum = 0;
  for (size_t i = 0; i < sizeof(header); ++i) sum += reinterpret_cast<const unsigned char*>(&header)[i];
  return sum;
}

std::optional<uint64_t> Octal(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7' || value > std::numeric_limits<uint64_t>::max() / 8) return std::nullopt;
    value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// Octal digits, or GNU's binary number if the first bit is set.
std::optional<uint64_t> SizeOf(const Header& header) {
  if ((header.size[0] & 0x80) == 0) return Octal(Text(header.size));
  uint64_t value = static_cast<unsigned char>(header.size[0]) & 0x7F;
  for (size_t i = 1; i < sizeof(header.size); ++i) {
    if (value > std::numeric_limits<uint64_t>::max() >> 8) return std::nullopt;
    value = value << 8 | static_cast<unsigned char>(header.size[i]);
  }
  return value;
}

std::string NormalPath(absl::string_view path) {
  while (absl::ConsumePrefix(&path, "./")) {
  }
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  return std::string(path);
}

// The records of a pax header: "LENGTH KEY=VALUE\n".
absl::Status ReadPax(absl::string_view records, std::string* path, std::optional<uint64_t>* size_bytes) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    uint64_t length = 0;
    if (space == absl::string_view::npos || !absl::SimpleAtoi(records.substr(0, space), &length) ||
        length <= space + 1 || length > records.size()) {
      return absl::InvalidArgumentError("a pax header is damaged");
    }
    absl::string_view record = records.substr(space + 1, length - space - 1);
    records.remove_prefix(length);
    absl::ConsumeSuffix(&record, "\n");
    if (absl::ConsumePrefix(&record, "path=")) *path = std::string(record);
    if (absl::ConsumePrefix(&record, "size=")) {
      uint64_t size = 0;
      if (!absl::SimpleAtoi(record, &size)) return absl::InvalidArgumentError("a size in a pax header is not a number");
      *size_bytes = size;
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string TarHeader(absl::string_view path, uint64_t size_bytes) {
  Header header;
  std::memset(&header, 0, sizeof(header));
  std::memcpy(header.name, path.data(), std::min(path.size(), sizeof(header.name) - 1));
  std::snprintf(header.mode, sizeof(header.mode), "%07o", 0644U);
  std::snprintf(header.uid, sizeof(header.uid), "%07o", 0U);
  std::snprintf(header.gid, sizeof(header.gid), "%07o", 0U);
  std::snprintf(header.mtime, sizeof(header.mtime), "%011o", 0U);
  constexpr uint64_t kOctalMax = 077777777777;
  if (size_bytes <= kOctalMax) {
    std::snprintf(header.size, sizeof(header.size), "%011llo", static_cast<unsigned long long>(size_bytes));
  } else {
    header.size[0] = static_cast<char>(0x80);
    for (size_t i = 0; i < 8; ++i) header.size[11 - i] = static_cast<char>(size_bytes >> (8 * i) & 0xFF);
  }
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  std::snprintf(header.checksum, sizeof(header.checksum), "%06o", static_cast<unsigned>(ChecksumOf(header)));
  header.checksum[7] = ' ';
  return std::string(reinterpret_cast<const char*>(&header), sizeof(header));
}

std::string TarPadding(uint64_t size_bytes) {
  return std::string((kTarBlockBytes - size_bytes % kTarBlockBytes) % kTarBlockBytes, '\0');
}

std::string TarEnd() { return std::string(2 * kTarBlockBytes, '\0'); }

absl::StatusOr<std::optional<TarEntry>> TarReader::Next() {
  TarEntry entry;
  entry.header_offset = offset_;
  std::string long_path;
  std::optional<uint64_t> long_size;
  while (true) {
    ASSIGN_OR_RETURN(const std::string block, ReadAt(fd_, offset_, kTarBlockBytes));
    if (block.size() < kTarBlockBytes || block == std::string(kTarBlockBytes, '\0')) return std::nullopt;
    Header header;
    std::memcpy(&header, block.data(), sizeof(header));
    const std::optional<uint64_t> size = SizeOf(header);
    if (Octal(Text(header.checksum)) != ChecksumOf(header) || !size.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("no tar header at byte ", offset_));
    }
    offset_ += kTarBlockBytes;
    // K: the long target of a link, which is skipped.
    if (header.type == 'L' || header.type == 'K' || header.type == 'x' || header.type == 'g') {
      if (*size > kExtensionBytesMax) return absl::InvalidArgumentError("an extended tar header is too large");
      ASSIGN_OR_RETURN(const std::string data, ReadAt(fd_, offset_, *size));
      offset_ += *size + TarPadding(*size).size();
      if (header.type == 'L') long_path = data.substr(0, data.find('\0'));
      if (header.type == 'x') RETURN_IF_ERROR(ReadPax(data, &long_path, &long_size));
      continue;
    }
    const bool has_prefix = absl::StartsWith(absl::string_view(header.magic, sizeof(header.magic)), "ustar") &&
                            header.magic[5] == '\0' && !Text(header.prefix).empty();
    entry.path = NormalPath(!long_path.empty() ? long_path
                            : has_prefix       ? absl::StrCat(Text(header.prefix), "/", Text(header.name))
                                               : std::string(Text(header.name)));
    entry.data_offset = offset_;
    entry.size_bytes = long_size.value_or(*size);
    entry.is_file = header.type == '0' || header.type == '\0';
    // Links and directories have no bytes, whatever their size is.
    if (!entry.is_file) entry.size_bytes = 0;
    if (entry.size_bytes > std::numeric_limits<int64_t>::max() / 2 - offset_) {
      return absl::InvalidArgumentError(
          absl::StrCat("the size of a file at byte ", entry.header_offset, " is too large"));
    }
    offset_ = entry.end_offset();
    return entry;
  }
}

absl::StatusOr<std::string> ReadAt(int fd, uint64_t offset, uint64_t length) {
  std::string bytes(length, '\0');
  size_t done = 0;
  while (done < length) {
    const ssize_t got = pread(fd, bytes.data() + done, length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::UnavailableError(absl::StrCat("cannot read: ", std::strerror(errno)));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace entrepot::ctl
