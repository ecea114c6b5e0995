# Pilotlight's resident routine: the fork server inside a frozen zygote, and the first instructions of its clones.
#
# It is position-independent, uses no stack at all (rsp is a dead register until rt_sigreturn loads it), makes system
# calls only, and runs with every signal blocked. The manager writes it into a page of the zygote, followed by the
# structures below, and points the zygote's leader at `serve` with rdi = control block. All other threads are sent to
# `park`. Whoever changes a layout here changes io.pilotlight.engine.ResidentLayout too.
#
# control block (64-byte aligned; every operation lies at a multiple of 64 bytes from it)
#   0x00 listening socket                 0x08 -> struct msghdr for requests
#   0x10 room for control messages        0x18 -> request
#   0x20 -> fixed operations              0x28 their number
#   0x30 -> threads                       0x38 their number
#   0x40 -> struct msghdr for replies     0x48 -> u32 with the clone's pidfd; both 0 where pids are the daemon's own
#   0x50 channel: the agent's descriptor  0x58 -> failure frame (13 bytes, as FrameCodec's StepFailed)
#   0x60 -> reply (16 bytes)              0x68 connection to the daemon
#   0x70 u32 ranges that could not be touched
#
# operation (64 bytes): one system call
#   0x00 u32 number
#   0x04 u32 flags: bit i (0-3) argument i is the address of a u32 that holds it; bit 8 errors are ignored
#   0x08 six arguments                    0x38 -> u32 that receives the result, or 0
#
# request (one SOCK_SEQPACKET message; descriptors come with it)
#   0x00 id                               0x08 command: 1 fork, 2 exit
#   0x18 number of operations             0x20 number of ranges
#   0x28 -> u32 that receives the third descriptor before the process is made, or 0
#   0x40 the operation that makes the process
#   0x80 operations for the child, while it has one thread; behind them the ranges that it touches
#
# range (16 bytes): an madvise(2) whose failure costs page faults later and nothing else
#   0x00 address of a page, plus the advice
#   0x08 length
#
# reply: 0x00 id, 0x08 pid or -errno; in a PID namespace of its own the zygote sends the pidfd with it
#
# thread (128 bytes)
#   0x00 the operation that makes it (unused for the leader)
#   0x40 -> its operations                0x48 their number
#   0x50 -> its rt_sigframe, past the return address
#   0x60 a struct timespec that its frame may point at
# The first is the leader's, the second that of the thread that reads the first request.
#
# Registers: r12 control block, rbp operation, r15 end of operations, r14 where run_ops returns to. r13 in a clone: 0 while
# nothing of the function can have run; later how often a thread may still be refused; in a thread its own entry.

        .set    SYS_read, 0
        .set    SYS_write, 1
        .set    SYS_close, 3
        .set    SYS_rt_sigreturn, 15
        .set    SYS_madvise, 28
        .set    SYS_pause, 34
        .set    SYS_nanosleep, 35
        .set    SYS_sendto, 44
        .set    SYS_sendmsg, 46
        .set    SYS_recvmsg, 47
        .set    SYS_exit_group, 231
        .set    SYS_accept4, 288

        .set    SOCK_CLOEXEC, 0x80000
        .set    MSG_NOSIGNAL, 0x4000
        .set    MSG_CMSG_CLOEXEC, 0x40000000
        .set    EINTR, 4
        .set    ECONNABORTED, 103

        .set    MAX_REFUSALS, 5000      # a millisecond each

        .set    EXIT_INCOMPLETE, 124
        .set    EXIT_STEP_FAILED, 125
        .set    EXIT_SOCKET_FAILED, 122

# Performs the operation at rbp; its result is in rax, its flags in ebx. System calls clobber rcx and r11.
        .macro  OPERATE
        mov     0x04(%rbp), %ebx
        mov     0x08(%rbp), %rdi
        mov     0x10(%rbp), %rsi
        mov     0x18(%rbp), %rdx
        mov     0x20(%rbp), %r10
        mov     0x28(%rbp), %r8
        mov     0x30(%rbp), %r9
        test    $1, %bl
        jz      81f
        mov     (%rdi), %edi
81:     test    $2, %bl
        jz      82f
        mov     (%rsi), %esi
82:     test    $4, %bl
        jz      83f
        mov     (%rdx), %edx
83:     test    $8, %bl
        jz      84f
        mov     (%r10), %r10d
84:     mov     (%rbp), %eax
        syscall
        mov     0x38(%rbp), %rcx
        test    %rcx, %rcx
        jz      85f
        mov     %eax, (%rcx)
85:
        .endm

        .text
# Entries at fixed offsets, for the manager.
        .org    0                       # 0x00: the fork server
        jmp     serve
        .org    0x10                    # 0x10: operations under ptrace: rbp, r15 and r14 = address of 0x40
        jmp     run_ops
        .org    0x20                    # 0x20: where threads of a zygote stay
park:   mov     $SYS_pause, %eax
        syscall
        jmp     park
        .org    0x30                    # 0x30: CPUID under ptrace
        cpuid
        int3
        .org    0x40                    # 0x40: end of a batch under ptrace
        int3
        .org    0x50

serve:  mov     %rdi, %r12

# The connection is accepted here, and again after its end, so that a zygote outlives its daemon and the next one can
# take it over.
accept: mov     (%r12), %rdi
        xor     %esi, %esi
        xor     %edx, %edx
        mov     $SOCK_CLOEXEC, %r10d
        mov     $SYS_accept4, %eax
        syscall
        cmp     $-EINTR, %rax
        je      accept
        cmp     $-ECONNABORTED, %rax
        je      accept
        test    %rax, %rax
        js      socket_failed
        mov     %rax, 0x68(%r12)

receive:
        mov     0x08(%r12), %rsi
        mov     0x10(%r12), %rax
        mov     %rax, 40(%rsi)          # msg_controllen is both room and result
        mov     0x68(%r12), %rdi
        mov     $MSG_CMSG_CLOEXEC, %edx
        mov     $SYS_recvmsg, %eax
        syscall
        cmp     $-EINTR, %rax
        je      receive
        test    %rax, %rax
        jle     disconnected

        mov     0x18(%r12), %rbp
        cmpl    $2, 0x08(%rbp)
        je      leave
        mov     0x28(%rbp), %rdi
        test    %rdi, %rdi
        jz      make_process
        mov     0x08(%r12), %rcx
        mov     32(%rcx), %rcx          # msg_control: a header of 16 bytes, then the descriptors
        mov     24(%rcx), %eax
        mov     %eax, (%rdi)
make_process:
        add     $0x40, %rbp
        OPERATE
        test    %rax, %rax
        jz      child

# The zygote: what came with the request belongs to the child alone.
        mov     0x60(%r12), %r13
        mov     0x18(%r12), %rcx
        mov     (%rcx), %rcx
        mov     %rcx, (%r13)
        mov     %rax, 8(%r13)
        mov     0x08(%r12), %rcx
        mov     32(%rcx), %rbp          # msg_control
        cmpq    $16, 40(%rcx)           # no room used: no descriptors
        jb      answer
        mov     (%rbp), %r15            # cmsg_len
        add     %rbp, %r15
        add     $16, %rbp
close_next:
        cmp     %r15, %rbp
        jae     answer
        mov     (%rbp), %edi
        mov     $SYS_close, %eax
        syscall
        add     $4, %rbp
        jmp     close_next
answer: mov     0x68(%r12), %rdi
        mov     0x40(%r12), %rsi
        test    %rsi, %rsi
        jz      plainly
        cmpq    $0, 8(%r13)
        jl      plainly                 # there is no clone
        mov     $MSG_NOSIGNAL, %edx
        mov     $SYS_sendmsg, %eax
        syscall
        mov     0x48(%r12), %rcx
        mov     (%rcx), %edi
        mov     $SYS_close, %eax
        syscall
        jmp     receive
plainly:
        mov     %r13, %rsi
        mov     $16, %edx
        mov     $MSG_NOSIGNAL, %r10d
        xor     %r8d, %r8d
        xor     %r9d, %r9d
        mov     $SYS_sendto, %eax
        syscall
        test    %rax, %rax
        jns     receive

# Without its answer the daemon could neither reap nor end the clone; it learns of the end of the connection.

disconnected:
        mov     0x68(%r12), %rdi
        mov     $SYS_close, %eax
        syscall
        jmp     accept

# The clone, with one thread: first what every clone of this zygote needs, its channel before all else, then what this
# request asks for.
child:  xor     %r13d, %r13d
        mov     0x20(%r12), %rbp
        mov     0x28(%r12), %r15
        shl     $6, %r15
        add     %rbp, %r15
        lea     1f(%rip), %r14
        jmp     run_ops
1:      mov     0x18(%r12), %rbp
        mov     0x18(%rbp), %r15
        shl     $6, %r15
        add     $0x80, %rbp
        add     %rbp, %r15
        lea     1f(%rip), %r14
        jmp     run_ops

# What its first call is going to touch. With one thread, copying a page interrupts no other processor.
1:      mov     0x18(%r12), %rbp
        mov     0x20(%rbp), %r15
        mov     0x18(%rbp), %rcx
        shl     $6, %rcx
        lea     0x80(%rbp,%rcx), %rbp
        shl     $4, %r15
        add     %rbp, %r15
touch:  cmp     %r15, %rbp
        jae     wait
        mov     (%rbp), %rdi
        mov     %edi, %edx
        and     $0xfff, %edx
        sub     %rdx, %rdi
        mov     0x08(%rbp), %rsi
        mov     $SYS_madvise, %eax
        syscall
        add     $16, %rbp
        test    %rax, %rax
        jz      touch
        incl    0x70(%r12)
        jmp     touch

# It waits for one byte on its channel: for a clone on demand the byte is there already, one in the pool sleeps here.
wait:   mov     0x50(%r12), %rdi
        mov     0x60(%r12), %rsi
        mov     $1, %edx
        xor     %eax, %eax              # SYS_read
        syscall
        cmp     $-EINTR, %rax
        je      wait
        cmp     $1, %rax
        jne     leave                   # nobody will ever call it

# The thread that reads the first request is made first and goes on at once; the leader makes the others meanwhile. One
# that is not made yet looks to its JVM like one that the scheduler has not got to. All have the leader's credentials.
        mov     0x30(%r12), %rbp
        mov     0x38(%r12), %r15
        shl     $7, %r15
        add     %rbp, %r15
next_thread:
        add     $0x80, %rbp
        cmp     %r15, %rbp
        jae     leader
make_thread:
        OPERATE
        test    %rax, %rax
        jz      thread
        js      refused
        mov     $MAX_REFUSALS, %r13d
        jmp     next_thread

# Without the first the daemon starts the function in another way. It cannot once that one runs: this clone goes on trying.
refused:
        test    %r13d, %r13d
        jz      step_failed
        dec     %r13d
        jz      incomplete
        lea     moment(%rip), %rdi
        xor     %esi, %esi
        mov     $SYS_nanosleep, %eax
        syscall
        jmp     make_thread

leader: mov     0x30(%r12), %rbp

# Every thread comes here: its own operations, then it goes on where its original was frozen.
thread: mov     %rbp, %r13
        mov     0x40(%r13), %rbp
        mov     0x48(%r13), %r15
        shl     $6, %r15
        add     %rbp, %r15
        lea     become(%rip), %r14
        jmp     run_ops

become: mov     0x50(%r13), %rsp
        mov     $SYS_rt_sigreturn, %eax
        syscall
        ud2

run_ops:
        cmp     %r15, %rbp
        jae     1f
        OPERATE
        add     $0x40, %rbp
        cmp     $-4095, %rax
        jb      run_ops
        test    $0x100, %ebx
        jnz     run_ops
        sub     $0x40, %rbp
        jmp     step_failed
1:      jmp     *%r14

# A clone that cannot become itself says which operation failed and why, and ends. rbp: the operation, rax: -errno.
step_failed:
        mov     0x30(%r12), %rcx
        add     $0x80, %rcx
        cmp     %rcx, %r13
        je      tell                    # the thread that reads the first request: it has not read it
        test    %r13, %r13
        jnz     incomplete
tell:   mov     0x58(%r12), %rsi
        neg     %eax
        bswap   %eax
        mov     %eax, 9(%rsi)
        sub     %r12, %rbp
        shr     $6, %rbp
        bswap   %ebp
        mov     %ebp, 5(%rsi)
        mov     0x50(%r12), %rdi
        mov     $13, %edx
        mov     $SYS_write, %eax
        syscall
        mov     $EXIT_STEP_FAILED, %edi
        jmp     exit

# The function may run already, so its request is lost with the clone. The daemon shows this text with the status.
incomplete:
        mov     $2, %edi
        lea     complaint(%rip), %rsi
        mov     $complaint_bytes, %edx
        mov     $SYS_write, %eax
        syscall
        mov     $EXIT_INCOMPLETE, %edi
        jmp     exit

socket_failed:
        mov     $EXIT_SOCKET_FAILED, %edi
        jmp     exit

leave:  xor     %edi, %edi
exit:   mov     $SYS_exit_group, %eax
        syscall
        ud2

        .balign 8
moment: .quad   0, 1000000              # struct timespec
complaint:
        .ascii  "pilotlight: a thread of this clone could not be made or set up; see the limits on processes\n"
        .set    complaint_bytes, . - complaint
