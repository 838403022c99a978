#include "services/ctl/output/upstreams_text.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

namespace v1 = upstream::v1;

constexpr int64_t kTime = 1'700'000'000;  // 2023-11-14 22:13:20

v1::UpstreamStatus Status() {
  v1::UpstreamStatus status;
  status.set_name("docker.io");
  status.set_url("https://registry-1.docker.io");
  status.set_state("ok");
  status.set_requests(12);
  status.set_bytes_fetched(2048);
  status.set_rate_limit(100);
  status.set_rate_limit_remaining(76);
  status.mutable_room()->set_bytes(1 << 20);
  status.mutable_room()->set_repositories(1);
  status.mutable_room()->set_manifests(4);
  status.mutable_room()->mutable_measured_at()->set_seconds(kTime);
  status.set_bytes_max(1 << 30);
  status.set_hits(90);
  status.set_misses(3);
  status.set_stale(1);
  return status;
}

TEST(UpstreamsTextTest, ListsJobs) {
  v1::UpstreamJobList list;
  EXPECT_EQ(UpstreamJobsText(list), "no jobs\n");
  v1::UpstreamJob& pull = *list.add_jobs();
  pull.set_id("a-2");
  pull.set_what("pull docker.io/library/nginx:1");
  pull.set_state(v1::UpstreamJob::RUNNING);
  pull.mutable_pull()->set_manifests(2);
  v1::UpstreamJob& test = *list.add_jobs();
  test.set_id("a-1");
  test.set_what("test quay.io");
  test.set_state(v1::UpstreamJob::FAILED);
  test.set_error("no route");
  EXPECT_EQ(UpstreamJobsText(list),
            "JOB  WHAT                            STATE    STARTED (UTC)        PROGRESS\n"
            "a-2  pull docker.io/library/nginx:1  RUNNING  1970-01-01 00:00:00  2 manifests\n"
            "a-1  test quay.io                    FAILED   1970-01-01 00:00:00  no route\n");
}

TEST(UpstreamsTextTest, ListHasALineForEachUpstream) {
  v1::UpstreamList list;
  EXPECT_EQ(UpstreamListText(list), "the upstreams file has no upstreams\n");
  *list.add_upstreams() = Status();
  v1::UpstreamStatus& other = *list.add_upstreams();
  other.set_name("quay.io");
  other.set_url("https://quay.io");
  other.set_state("time-out\x1b[2J");
  EXPECT_EQ(UpstreamListText(list),
            "UPSTREAM   URL                           ROOM     CAP      STATE\n"
            "docker.io  https://registry-1.docker.io  1.0 MiB  1.0 GiB  ok\n"
            "quay.io    https://quay.io               -        -        time-out?[2J\n");
}

TEST(UpstreamsTextTest, StatusHasAllThatIsKnown) {
  EXPECT_EQ(UpstreamStatusText(Status()),
            "docker.io\n"
            "  url         https://registry-1.docker.io\n"
            "  state       ok\n"
            "  requests    12, 2.0 KiB fetched\n"
            "  manifests   90 hits, 3 misses, 1 stale\n"
            "  rate limit  76 of 100 left\n"
            "  room        1.0 MiB, 1 repository, 4 manifests; measured 2023-11-14 22:13:20 UTC\n"
            "  cap         1.0 GiB\n");
  v1::UpstreamStatus status = Status();
  status.set_rate_limit(-1);
  EXPECT_THAT(UpstreamStatusText(status), HasSubstr("  rate limit  76 left\n"));
  status.set_rate_limit_remaining(-1);
  status.clear_room();
  status.set_bytes_max(0);
  EXPECT_THAT(UpstreamStatusText(status), HasSubstr("  rate limit  not stated\n"
                                                    "  room        not measured yet\n"
                                                    "  cap         none\n"));
}

TEST(UpstreamsTextTest, TestHasALineForEachStep) {
  v1::UpstreamTest test;
  const auto add = [&](const char* name, v1::UpstreamTest::Step::Result result, const char* detail, double seconds) {
    v1::UpstreamTest::Step& step = *test.add_steps();
    step.set_name(name);
    step.set_result(result);
    step.set_detail(detail);
    step.set_seconds(seconds);
  };
  add("address", v1::UpstreamTest::Step::OK, "192.0.2.1", 0.0123);
  add("TLS", v1::UpstreamTest::Step::FAILED, "the certificate has expired", 1);
  add("login", v1::UpstreamTest::Step::SKIPPED, "", 0);
  EXPECT_EQ(UpstreamTestText(test),
            "STEP     RESULT   TIME     DETAIL\n"
            "address  ok       0.012 s  192.0.2.1\n"
            "TLS      FAILED   1.000 s  the certificate has expired\n"
            "login    skipped  -        -\n");
}

TEST(UpstreamsTextTest, PulledImage) {
  v1::ImagePull pull;
  pull.set_digest("sha256:aa");
  pull.set_manifests(2);
  pull.set_blobs(3);
  pull.set_blobs_done(3);
  pull.set_bytes(1024);
  pull.set_blobs_here(1);
  EXPECT_EQ(PulledImageText("docker.io/library/nginx:1", pull),
            "pulled docker.io/library/nginx:1, sha256:aa\n2 manifests, 3 blobs, 1.0 KiB; 1 blob was here before\n");
}

TEST(UpstreamsTextTest, ProgressOfAPull) {
  v1::ImagePull pull;
  EXPECT_EQ(PullProgressBar(pull, absl::ZeroDuration()), "[>                   ]   0 %  0 manifests, 0");
  pull.set_manifests(1);
  pull.set_blobs(4);
  pull.set_blobs_done(2);
  pull.set_bytes(4096);
  pull.set_bytes_done(2048);
  EXPECT_EQ(PullProgressBar(pull, absl::Milliseconds(61'900)),
            "[==========>         ]  50 %  2.0 KiB of 4.0 KiB, 2 of 4 blobs, 1m1s");
  EXPECT_EQ(PullProgressLine("quay.io/a:1", pull), "quay.io/a:1: 2.0 KiB of 4.0 KiB, 2 of 4 blobs");
  pull.set_bytes_done(5000);
  EXPECT_THAT(PullProgressBar(pull, absl::ZeroDuration()), HasSubstr("[====================] 100 %"));
}

TEST(UpstreamsTextTest, EvictionListsTheImages) {
  types::v1::CacheEviction eviction;
  eviction.mutable_before()->set_bytes(3072);
  eviction.mutable_after()->set_bytes(1024);
  eviction.set_freed_bytes(2048);
  eviction.set_image_count(3);
  types::v1::CacheEviction::Image& image = *eviction.add_images();
  image.set_repository("docker.io/library/nginx");
  image.add_tags("1");
  image.add_tags("1.27");
  image.set_digest("sha256:aa");
  image.mutable_used_at()->set_seconds(kTime);
  eviction.add_images()->set_repository("docker.io/library/redis");
  EXPECT_EQ(EvictionText(eviction, false),
            "3 images evicted, 2.0 KiB freed\n"
            "the caches needed 3.0 KiB, and need 1.0 KiB now; the collector gives the bytes back\n\n"
            "REPOSITORY               TAGS     LAST USED (UTC)      DIGEST\n"
            "docker.io/library/nginx  1, 1.27  2023-11-14 22:13:20  sha256:aa\n"
            "docker.io/library/redis  -        -                    -\n"
            "and 1 more\n");
  const std::string dry = EvictionText(eviction, true);
  EXPECT_THAT(dry, HasSubstr("3 images would be evicted, 2.0 KiB freed; nothing was changed\n"
                             "the caches need 3.0 KiB, and would need 1.0 KiB then\n"));
  eviction.Clear();
  EXPECT_EQ(EvictionText(eviction, false), "0 images evicted, 0 B freed\n");
}

}  // namespace
}  // namespace entrepot::ctl
