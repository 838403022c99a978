#include "gateway/http/http1/read_buffer.h"

#include <cstring>
#include <string>

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

void Write(ReadBuffer& buffer, absl::string_view bytes) {
  while (!bytes.empty()) {
    const absl::Span<char> space = buffer.Space();
    const size_t size = std::min(space.size(), bytes.size());
    ASSERT_GT(size, 0u);
    std::memcpy(space.data(), bytes.data(), size);
    buffer.Fill(size);
    bytes.remove_prefix(size);
  }
}

TEST(ReadBufferTest, KeepsBytesInOrderWhileItGrows) {
  ReadBuffer buffer;
  std::string expected;
  for (int i = 0; i < 3000; ++i) expected += std::to_string(i);
  Write(buffer, expected);
  EXPECT_EQ(buffer.unread(), expected);
  buffer.Consume(10000);
  Write(buffer, "tail");
  EXPECT_EQ(buffer.unread(), expected.substr(10000) + "tail");
}

TEST(ReadBufferTest, DoesNotGrowForBytesThatWereConsumed) {
  ReadBuffer buffer;
  for (int i = 0; i < 1000; ++i) {
    Write(buffer, std::string(1000, 'a'));
    buffer.Consume(1000);
    ASSERT_TRUE(buffer.empty());
    ASSERT_LE(buffer.Space().size(), ReadBuffer::kIdleBytes);
  }
}

TEST(ReadBufferTest, ShrinkFreesMemoryAndKeepsUnreadBytes) {
  ReadBuffer buffer;
  Write(buffer, std::string(20000, 'a') + "end");
  buffer.Consume(20000);
  buffer.Shrink();
  EXPECT_EQ(buffer.unread(), "end");
  EXPECT_EQ(buffer.Space().size(), ReadBuffer::kIdleBytes - 3);
}

TEST(ReadBufferTest, AssignReplaces) {
  ReadBuffer buffer;
  Write(buffer, "old");
  const std::string large(9000, 'b');
  buffer.Assign(large);
  EXPECT_EQ(buffer.unread(), large);
  buffer.Assign("");
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace entrepot::gateway::http
