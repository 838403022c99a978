#include "gateway/http/http1/chunk_decoder.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

struct Decoded {
  absl::Status status;
  std::string data;
  std::string rest;  // The bytes that were not consumed.
  bool done = false;
};

// Decodes in steps of `step` bytes, each in place, as a connection does.
Decoded Decode(std::string raw, size_t step = std::string::npos) {
  ChunkDecoder decoder;
  Decoded result;
  size_t offset = 0;
  while (offset < raw.size() && !decoder.done()) {
    char* const piece = raw.data() + offset;
    const size_t size = std::min(step, raw.size() - offset);
    const auto progress = decoder.Decode(piece, size, piece, size);
    if (!progress.ok()) {
      result.status = progress.status();
      return result;
    }
    result.data.append(piece, progress->produced);
    offset += progress->consumed;
  }
  result.done = decoder.done();
  result.rest = raw.substr(offset);
  return result;
}

TEST(ChunkDecoderTest, JoinsChunksAndStopsAfterTheLast) {
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, std::string::npos}) {
    const Decoded decoded = Decode("5\r\nhello\r\nA;x=\"y\"\r\n, world..!\r\n0\r\nTrailer: a\r\n\r\nGET /", step);
    EXPECT_TRUE(decoded.status.ok()) << decoded.status;
    EXPECT_EQ(decoded.data, "hello, world..!");
    EXPECT_TRUE(decoded.done);
    EXPECT_EQ(decoded.rest, "GET /");
  }
}

TEST(ChunkDecoderTest, IsNotDoneBeforeTheLastLine) {
  EXPECT_FALSE(Decode("5\r\nhello\r\n0\r\n\r").done);
  EXPECT_FALSE(Decode("5\r\nhello").done);
  EXPECT_TRUE(Decode("0\r\n\r\n").done);
}

TEST(ChunkDecoderTest, StopsWhenTheOutputIsFull) {
  ChunkDecoder decoder;
  const std::string raw = "5\r\nhello\r\n3\r\nabc\r\n";
  char output[6];
  auto progress = decoder.Decode(raw.data(), raw.size(), output, sizeof(output));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(std::string(output, progress->produced), "helloa");
  const size_t consumed = progress->consumed;
  progress = decoder.Decode(raw.data() + consumed, raw.size() - consumed, output, sizeof(output));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(std::string(output, progress->produced), "bc");
}

TEST(ChunkDecoderTest, AcceptsBlanksBeforeAnExtension) { EXPECT_EQ(Decode("2 \t;a\r\nhi\r\n0\r\n\r\n").data, "hi"); }

TEST(ChunkDecoderTest, RefusesMalformedBodies) {
  const std::string long_extension = absl::StrCat("1;", std::string(300, 'a'), "\r\n");
  std::string many_trailers = "0\r\n";
  for (int i = 0; i < 2000; ++i) many_trailers += "a: b\r\n";
  const std::string nul("1;\0\r\n", 5);
  for (const std::string& raw : {std::string("\r\n"),
                                 std::string("g\r\n"),
                                 std::string("-1\r\n"),
                                 std::string("+1\r\n"),
                                 std::string("0x1\r\n"),
                                 std::string(" 1\r\n"),
                                 std::string("1 \r\n"),
                                 std::string("1\n"),
                                 std::string("1\rx"),
                                 std::string(";a\r\n"),
                                 std::string("1\r\nab\r\n"),
                                 std::string("1\r\na\n"),
                                 std::string("1\r\na\rb"),
                                 std::string("10000000000000000\r\n"),
                                 std::string("ffffffffffffffff\r\n"),
                                 std::string("0000000000000001\r\n"),
                                 std::string("0\r\n: a\r\n"),
                                 std::string("0\r\na b: c\r\n"),
                                 std::string("0\r\na: b\n"),
                                 std::string("0\r\n a: b\r\n"),
                                 std::string("0\r\na: b\rc"),
                                 std::string("0\r\n\rx"),
                                 nul,
                                 long_extension,
                                 many_trailers}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Decode(raw).status)) << raw.substr(0, 40);
    EXPECT_TRUE(absl::IsInvalidArgument(Decode(raw, 1).status)) << raw.substr(0, 40);
  }
}

TEST(ChunkDecoderTest, DecodesTheSameHoweverTheInputIsSplit) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string payload;
    std::string raw;
    for (size_t chunks = random() % 6; chunks > 0; --chunks) {
      const std::string chunk(1 + random() % 3000, static_cast<char>('a' + random() % 26));
      absl::StrAppend(&raw, absl::Hex(chunk.size()), "\r\n", chunk, "\r\n");
      payload += chunk;
    }
    raw += "0\r\n\r\n";
    const Decoded decoded = Decode(raw, 1 + random() % 500);
    ASSERT_TRUE(decoded.status.ok());
    ASSERT_EQ(decoded.data, payload);
    ASSERT_TRUE(decoded.done);
  }
}

}  // namespace
}  // namespace entrepot::gateway::http
