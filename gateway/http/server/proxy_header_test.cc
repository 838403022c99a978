#include "gateway/http/server/proxy_header.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::http {
namespace {

using ::testing::HasSubstr;

struct Parsed {
  absl::Status status;
  bool complete = false;
  std::string address;
  bool is_tls = false;
  size_t taken = 0;
};

// Gives the header what it wants, at most `step` bytes at a time.
Parsed Parse(absl::string_view bytes, size_t step = 10'000) {
  ProxyHeader header;
  Parsed parsed;
  while (header.wanted_bytes() > 0 && parsed.taken < bytes.size()) {
    const absl::string_view piece = bytes.substr(parsed.taken, std::min(step, header.wanted_bytes()));
    parsed.taken += piece.size();
    const absl::StatusOr<bool> complete = header.Add(piece);
    parsed.status = complete.status();
    if (!complete.ok()) return parsed;
    parsed.complete = *complete;
    EXPECT_EQ(*complete, header.wanted_bytes() == 0);
  }
  parsed.address = header.address();
  parsed.is_tls = header.is_tls();
  return parsed;
}

std::string Version2(uint8_t command, uint8_t family, absl::string_view body, int size = -1) {
  const size_t length = size < 0 ? body.size() : static_cast<size_t>(size);
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header.push_back(static_cast<char>(0x20 | command));
  header.push_back(static_cast<char>(family));
  header.push_back(static_cast<char>(length >> 8));
  header.push_back(static_cast<char>(length & 0xff));
  return absl::StrCat(header, body);
}

const std::string kIpv4Block("\xcb\x00\x71\x09\x0a\x00\x00\x01\x12\x34\x01\xbb", 12);

std::string Ipv6Block() {
  std::string block("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09", 16);
  block += std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  return block + "\x12\x34\x01\xbb";
}

std::string Value(uint8_t type, absl::string_view bytes) {
  const char head[] = {static_cast<char>(type), static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size())};
  return absl::StrCat(absl::string_view(head, 3), bytes);
}

TEST(ProxyHeaderTest, TakesTheClientOfVersion1) {
  for (const size_t step : {1, 3, 10'000}) {
    const Parsed parsed = Parse("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\nGET / HTTP/1.1\r\n", step);
    EXPECT_OK(parsed.status);
    EXPECT_TRUE(parsed.complete);
    EXPECT_EQ(parsed.address, "203.0.113.9");
    EXPECT_FALSE(parsed.is_tls);
    EXPECT_EQ(parsed.taken, 43u) << "bytes behind the header belong to the connection";
  }
  EXPECT_EQ(Parse("PROXY TCP6 2001:DB8::9 2001:db8::1 1 65535\r\n").address, "2001:db8::9");
  EXPECT_EQ(Parse("PROXY TCP6 ::ffff:203.0.113.9 ::ffff:10.0.0.1 1 2\r\n").address, "203.0.113.9");
}

TEST(ProxyHeaderTest, TakesVersion1WithoutAClient) {
  for (const absl::string_view line : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN anything at all\r\n"}) {
    const Parsed parsed = Parse(absl::StrCat(line, "GET"));
    EXPECT_OK(parsed.status);
    EXPECT_TRUE(parsed.complete);
    EXPECT_EQ(parsed.address, "");
    EXPECT_EQ(parsed.taken, line.size());
  }
}

TEST(ProxyHeaderTest, TakesTheClientOfVersion2) {
  for (const size_t step : {1, 7, 10'000}) {
    const std::string header = Version2(1, 0x11, kIpv4Block);
    const Parsed parsed = Parse(header + "GET / HTTP/1.1", step);
    EXPECT_OK(parsed.status);
    EXPECT_TRUE(parsed.complete);
    EXPECT_EQ(parsed.address, "203.0.113.9");
    EXPECT_EQ(parsed.taken, header.size());
  }
  EXPECT_EQ(Parse(Version2(1, 0x21, Ipv6Block())).address, "2001:db8::9");
}

TEST(ProxyHeaderTest, TakesVersion2WithoutAClient) {
  // LOCAL, whatever follows; unspecified; a Unix socket.
  for (const std::string& header : {Version2(0, 0x00, ""), Version2(0, 0x11, kIpv4Block), Version2(0, 0x77, "abc"),
                                    Version2(1, 0x00, "abc"), Version2(1, 0x31, std::string(216, 'a'))}) {
    const Parsed parsed = Parse(header + "GET");
    EXPECT_OK(parsed.status);
    EXPECT_TRUE(parsed.complete);
    EXPECT_EQ(parsed.address, "");
    EXPECT_EQ(parsed.taken, header.size());
  }
}

TEST(ProxyHeaderTest, SeesWhetherTheClientUsedTls) {
  const std::string others = Value(0x02, "r.example") + Value(0x03, "\x01\x02\x03\x04");
  const std::string verify(4, '\0');
  EXPECT_TRUE(Parse(Version2(1, 0x11, kIpv4Block + others + Value(0x20, "\x01" + verify))).is_tls);
  EXPECT_FALSE(Parse(Version2(1, 0x11, kIpv4Block + others + Value(0x20, "\x06" + verify))).is_tls);
  EXPECT_FALSE(Parse(Version2(1, 0x11, kIpv4Block + others)).is_tls);
  EXPECT_FALSE(Parse(Version2(1, 0x11, kIpv4Block + Value(0x20, ""))).is_tls);
}

TEST(ProxyHeaderTest, RefusesAnythingElseAtItsFirstBytes) {
  for (const absl::string_view bytes : {"GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00\x01", "PROXZ TCP4 203.0.113.9",
                                        "proxy TCP4 203.0.113.9", "\r\n\r\nGET / HTTP/1.1", "P ROXY"}) {
    const Parsed parsed = Parse(bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status)) << bytes;
    EXPECT_LE(parsed.taken, 12u);
  }
}

TEST(ProxyHeaderTest, RefusesMalformedVersion1) {
  for (const absl::string_view line :
       {"PROXY \r\nabcdefg\r\n", "PROXY TCP4\r\n", "PROXY TCP4 \r\n", "PROXY TCP5 203.0.113.9 10.0.0.1 1 2\r\n",
        "PROXY TCP4 203.0.113.9 10.0.0.1 1\r\n", "PROXY TCP4 203.0.113.9 10.0.0.1 1 2 3\r\n",
        "PROXY TCP4  203.0.113.9 10.0.0.1 1 2\r\n", "PROXY TCP4 203.0.113.9 10.0.0.1 1 65536\r\n",
        "PROXY TCP4 203.0.113.9 10.0.0.1 -1 2\r\n", "PROXY TCP4 2001:db8::1 10.0.0.1 1 2\r\n",
        "PROXY TCP6 203.0.113.9 2001:db8::1 1 2\r\n", "PROXY TCP4 203.0.113.999 10.0.0.1 1 2\r\n",
        "PROXY TCP4 203.0.113.9 10.0.0.1 1 2\n\r\n", "PROXY TCP4 203.0.113.9 10.0.0.1 1 2 \r\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Parse(line).status)) << line;
  }
}

TEST(ProxyHeaderTest, BoundsTheLineOfVersion1) {
  const Parsed parsed = Parse(absl::StrCat("PROXY UNKNOWN ", std::string(1000, 'a'), "\r\n"));
  EXPECT_TRUE(absl::IsInvalidArgument(parsed.status));
  EXPECT_EQ(parsed.taken, 107u);
  EXPECT_OK(Parse(absl::StrCat("PROXY UNKNOWN ", std::string(91, 'a'), "\r\n")).status);
}

TEST(ProxyHeaderTest, RefusesMalformedVersion2) {
  const std::string version_3 = [] {
    std::string header = Version2(1, 0x11, kIpv4Block);
    header[12] = 0x31;
    return header;
  }();
  for (const std::string& header :
       {version_3, Version2(2, 0x11, kIpv4Block), Version2(1, 0x12, kIpv4Block), Version2(1, 0x22, Ipv6Block()),
        Version2(1, 0x41, kIpv4Block), Version2(1, 0x11, kIpv4Block.substr(1)), Version2(1, 0x21, kIpv4Block),
        Version2(1, 0x11, kIpv4Block + "\x20"), Version2(1, 0x11, kIpv4Block + std::string("\x20\x00\x05\x01", 4))}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Parse(header).status));
  }
}

TEST(ProxyHeaderTest, BoundsVersion2) {
  const Parsed parsed = Parse(Version2(1, 0x11, kIpv4Block, /*size=*/65535));
  EXPECT_THAT(parsed.status.message(), HasSubstr("65551 bytes, more than 4096"));
  EXPECT_EQ(parsed.taken, 16u);
  EXPECT_OK(Parse(Version2(0, 0, std::string(4080, 'a'))).status);
}

}  // namespace
}  // namespace entrepot::gateway::http
