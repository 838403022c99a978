#include "services/runtime/grpc/open_connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::runtime {
namespace {

using Outcome = OpenConnections::Outcome;

class OpenConnectionsTest : public ::testing::Test {
 protected:
  static OwnedFd Connect() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ::close(ends[1]);
    return OwnedFd(ends[0]);
  }

  Outcome Admit(const std::string& source) {
    OwnedFd fd = Connect();
    const Outcome outcome = connections_.Admit(fd.get(), source, now_);
    if (outcome == Outcome::kAdmitted) open_.push_back(std::move(fd));
    return outcome;
  }

  void PassInterval() { now_ += OpenConnections::kSearchInterval; }

  OpenConnections connections_{{.max = 4, .per_source_max = 2}};
  OpenConnections::Clock::time_point now_ = OpenConnections::Clock::now();
  std::vector<OwnedFd> open_;
};

TEST_F(OpenConnectionsTest, SourceHasAShare) {
  EXPECT_EQ(Admit("a"), Outcome::kAdmitted);
  EXPECT_EQ(Admit("a"), Outcome::kAdmitted);
  EXPECT_EQ(Admit("a"), Outcome::kNoneLeftForSource);
  EXPECT_EQ(Admit("b"), Outcome::kAdmitted);
  EXPECT_EQ(connections_.size(), 3u);
}

TEST_F(OpenConnectionsTest, HasABoundInSum) {
  for (const char* source : {"a", "b", "c", "d"}) EXPECT_EQ(Admit(source), Outcome::kAdmitted);
  EXPECT_EQ(Admit("e"), Outcome::kNoneLeft);
}

TEST_F(OpenConnectionsTest, ClosedConnectionMakesRoom) {
  Admit("a");
  Admit("a");
  PassInterval();
  EXPECT_EQ(Admit("a"), Outcome::kNoneLeftForSource);
  open_.pop_back();
  // Not searched for again yet.
  EXPECT_EQ(Admit("a"), Outcome::kNoneLeftForSource);
  PassInterval();
  EXPECT_EQ(Admit("a"), Outcome::kAdmitted);
  EXPECT_EQ(Admit("a"), Outcome::kNoneLeftForSource);
}

TEST_F(OpenConnectionsTest, OtherSocketWithTheSameDescriptorIsNotTheConnection) {
  Admit("a");
  const int fd = open_.back().get();
  const OwnedFd other = Connect();
  ASSERT_EQ(::dup2(other.get(), fd), fd);
  connections_.RemoveClosed(now_);
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(OpenConnectionsTest, FileWithTheSameDescriptorIsNotTheConnection) {
  Admit("a");
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  const OwnedFd input(ends[0]);
  const OwnedFd output(ends[1]);
  ASSERT_EQ(::dup2(input.get(), open_.back().get()), open_.back().get());
  connections_.RemoveClosed(now_);
  EXPECT_EQ(connections_.size(), 0u);
}

TEST_F(OpenConnectionsTest, ConnectionWhosePeerHasClosedIsOpen) {
  Admit("a");
  connections_.RemoveClosed(now_);
  EXPECT_EQ(connections_.size(), 1u);
}

}  // namespace
}  // namespace entrepot::runtime
