#include "services/core/files/owned_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

int OpenSomething() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(OwnedFdTest, ClosesWithItsOwner) {
  int fd = -1;
  {
    const OwnedFd owned(OpenSomething());
    fd = owned.get();
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(OwnedFdTest, MovingTransfersOwnership) {
  OwnedFd first(OpenSomething());
  const int fd = first.get();
  OwnedFd second(std::move(first));
  EXPECT_EQ(second.get(), fd);
  OwnedFd third;
  EXPECT_EQ(third.get(), -1);
  third = std::move(second);
  EXPECT_EQ(third.get(), fd);
  EXPECT_TRUE(IsOpen(fd));
}

TEST(OwnedFdTest, ReleaseGivesUpOwnership) {
  int fd = -1;
  {
    OwnedFd owned(OpenSomething());
    fd = owned.release();
    EXPECT_EQ(owned.get(), -1);
  }
  EXPECT_TRUE(IsOpen(fd));
  close(fd);
}

}  // namespace
}  // namespace entrepot
