#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace adze {

/// A reference to a callable (begin, end): no allocation, no ownership. The callable must outlive it.
class RangeBody {
 public:
  template <typename Body>
  requires(!std::is_same_v<std::remove_cvref_t<Body>, RangeBody>)
      RangeBody(const Body& body)  // NOLINT(google-explicit-constructor): call sites pass lambdas
      : object_(std::addressof(body)), call_([](const void* object, std::int64_t begin, std::int64_t end) {
          (*static_cast<const Body*>(object))(begin, end);
        }) {}

  void operator()(std::int64_t begin, std::int64_t end) const { call_(object_, begin, end); }

 private:
  const void* object_;
  void (*call_)(const void*, std::int64_t, std::int64_t);
};

/// Number of threads that parallel_for may use: a whole-process setting, 0 = all the cores this process may use.
void set_num_threads(int count);
int num_threads();

/// Calls body(begin, end) on disjoint pieces of [0, count) from up to most_threads threads (0: num_threads()), and
/// waits. Pieces hold at least grain items. The first exception is thrown on the caller's thread after all have ended.
/// Results must not depend on how the range was cut. Calls from within a body, and calls while another thread's call
/// is under way, run on their own thread alone.
///
/// The caller works too and waits only for pieces that another thread has begun. When such a wait costs more than the
/// others saved, or they do not come at all, nothing is handed out for ten times what was lost: a core that somebody
/// else keeps busy costs about a tenth.
void parallel_for(std::int64_t count, std::int64_t grain, RangeBody body, int most_threads = 0);

}  // namespace adze
