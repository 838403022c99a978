#include "gateway/http/server/proxy_header.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/core/ip_network.h"
#include "services/core/text/host_and_port.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::http {
namespace {

constexpr absl::string_view kVersion1 = "PROXY ";
constexpr size_t kVersion1BytesMax = 107;
constexpr absl::string_view kVersion2("\r\n\r\n\0\r\nQUIT\n", 12);
// The signature, the version with the command, the family with the protocol, and the length of what follows.
constexpr size_t kStartBytes = 16;
constexpr size_t kVersionAndCommand = 12;
constexpr size_t kFamilyAndProtocol = 13;
constexpr size_t kLength = 14;

// Types and bits of the additional values of version 2.
constexpr uint8_t kTlsValue = 0x20;
constexpr uint8_t kClientUsedTls = 0x01;

absl::Status NoHeader() {
  return absl::InvalidArgumentError("the connection does not begin with a header of the PROXY protocol");
}

uint8_t ByteAt(absl::string_view bytes, size_t index) { return static_cast<uint8_t>(bytes[index]); }
size_t NumberAt(absl::string_view bytes, size_t index) { return ByteAt(bytes, index) << 8 | ByteAt(bytes, index + 1); }

bool BothBegin(absl::string_view bytes, absl::string_view signature) {
  const size_t size = std::min(bytes.size(), signature.size());
  return bytes.substr(0, size) == signature.substr(0, size);
}

IpAddress AddressAt(absl::string_view bytes, size_t size) {
  IpAddress::Bytes address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::copy_n(bytes.begin(), size, address.end() - static_cast<ptrdiff_t>(size));
  return IpAddress::FromBytes(address);
}

}  // namespace

bool ProxyHeader::is_version_2() const { return absl::StartsWith(bytes_, kVersion2); }

size_t ProxyHeader::wanted_bytes() const {
  if (complete_) return 0;
  // No header is shorter than the signature of version 2, nor a header of version 2 shorter than its start.
  if (bytes_.size() < kVersion2.size()) return kVersion2.size() - bytes_.size();
  if (is_version_2()) return (size_ == 0 ? kStartBytes : size_) - bytes_.size();
  // The line of version 1 ends with CR LF.
  return std::min<size_t>(bytes_.back() == '\r' ? 1 : 2, kVersion1BytesMax - bytes_.size());
}

absl::StatusOr<bool> ProxyHeader::Add(absl::string_view bytes) {
  absl::StrAppend(&bytes_, bytes);
  if (!BothBegin(bytes_, kVersion1) && !BothBegin(bytes_, kVersion2)) return NoHeader();
  if (bytes_.size() < kVersion2.size()) return false;
  if (is_version_2()) {
    if (bytes_.size() < kStartBytes) return false;
    if (size_ == 0) RETURN_IF_ERROR(CheckVersion2Start());
    if (bytes_.size() < size_) return false;
    RETURN_IF_ERROR(ParseVersion2());
  } else {
    if (!absl::EndsWith(bytes_, "\r\n")) {
      if (bytes_.size() >= kVersion1BytesMax || absl::StrContains(bytes_, '\n')) {
        return absl::InvalidArgumentError("the line of the PROXY protocol does not end");
      }
      return false;
    }
    RETURN_IF_ERROR(ParseVersion1());
  }
  complete_ = true;
  return true;
}

// "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443", or "PROXY UNKNOWN" with anything behind it.
absl::Status ProxyHeader::ParseVersion1() {
  const absl::string_view line = absl::StripSuffix(bytes_, "\r\n");
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words[1] == "UNKNOWN") return absl::OkStatus();
  const auto invalid = [] { return absl::InvalidArgumentError("the line of the PROXY protocol is malformed"); };
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return invalid();
  // An IPv4 client is TCP6 if the proxy listens on IPv6, with a mapped address.
  const bool has_colons = words[1] == "TCP6";
  const std::optional<IpAddress> source = IpAddress::Parse(words[2]);
  const std::optional<IpAddress> destination = IpAddress::Parse(words[3]);
  if (!source || !destination || absl::StrContains(words[2], ':') != has_colons ||
      absl::StrContains(words[3], ':') != has_colons || !IsPort(words[4]) || !IsPort(words[5])) {
    return invalid();
  }
  address_ = source->ToString();
  return absl::OkStatus();
}

absl::Status ProxyHeader::CheckVersion2Start() {
  if (ByteAt(bytes_, kVersionAndCommand) >> 4 != 2) return NoHeader();
  const size_t size = kStartBytes + NumberAt(bytes_, kLength);
  if (size > kBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the header of the PROXY protocol has ", size, " bytes, more than ", kBytesMax));
  }
  size_ = size;
  return absl::OkStatus();
}

absl::Status ProxyHeader::ParseVersion2() {
  const absl::string_view body = absl::string_view(bytes_).substr(kStartBytes);
  switch (ByteAt(bytes_, kVersionAndCommand) & 0x0f) {
    case 0:  // LOCAL: the proxy's own connection.
      return absl::OkStatus();
    case 1:  // PROXY
      break;
    default:
      return absl::InvalidArgumentError("unknown command in the header of the PROXY protocol");
  }
  size_t address_bytes = 0;
  switch (ByteAt(bytes_, kFamilyAndProtocol)) {
    case 0x00:  // Unspecified.
    case 0x31:  // A Unix socket: the client is on the proxy's machine.
      return absl::OkStatus();
    case 0x11:
      address_bytes = 4;
      break;
    case 0x21:
      address_bytes = 16;
      break;
    default:
      return absl::InvalidArgumentError("the header of the PROXY protocol is not of a TCP connection");
  }
  const size_t block_bytes = 2 * address_bytes + 4;  // Two addresses and two ports.
  if (body.size() < block_bytes) {
    return absl::InvalidArgumentError("the header of the PROXY protocol is shorter than its addresses");
  }
  address_ = AddressAt(body, address_bytes).ToString();
  return ParseValues(body.substr(block_bytes));
}

// Each value has a type (1 byte), a length (2 bytes) and its bytes.
absl::Status ProxyHeader::ParseValues(absl::string_view values) {
  while (!values.empty()) {
    if (values.size() < 3 || values.size() - 3 < NumberAt(values, 1)) {
      return absl::InvalidArgumentError("a value in the header of the PROXY protocol is longer than the header");
    }
    const uint8_t type = ByteAt(values, 0);
    const absl::string_view value = values.substr(3, NumberAt(values, 1));
    if (type == kTlsValue && !value.empty() && (ByteAt(value, 0) & kClientUsedTls) != 0) is_tls_ = true;
    values.remove_prefix(3 + value.size());
  }
  return absl::OkStatus();
}

}  // namespace entrepot::gateway::http
