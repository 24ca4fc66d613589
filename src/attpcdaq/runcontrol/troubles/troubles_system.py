"""What goes wrong with the DAQ itself: its processes, database, broker, clocks and certificate. Seen, not read."""

from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass as T

SYSTEM = (
    T(
        "database-silent",
        "The database does not answer",
        "Everything that the DAQ knows lies there. The electronics do what they did before, and the monitor goes on "
        "reading them. What was accepted before is kept.",
        "Wait a minute: the page comes back by itself. If it does not, an administrator starts the database.",
    ),
    T(
        "database-full",
        "The disk of the database is full",
        "Nothing new can be written, so no command is taken, Stop included. What was accepted before is kept, and "
        "boards that run go on running: their data lie on other disks.",
        "An administrator makes space on that disk: at once, if a run is open. Everything goes on by itself; press "
        "again what was not taken.",
    ),
    T(
        "database-read-only",
        "The database may only be read",
        "It was switched to reading only, or is the copy of another one. What was accepted before is kept.",
        "An administrator looks why, and gives the DAQ a database that takes what is written.",
    ),
    T(
        "database-password",
        "The database does not let the DAQ in",
        "User, password or rights in ATTPCDAQ_DATABASE_URL are not what the database expects.",
        "An administrator puts the right password into the settings, or sets it in the database, and starts the "
        "processes anew.",
    ),
    T(
        "database-missing",
        "There is no database of that name",
        "The server answers, but the database that ATTPCDAQ_DATABASE_URL names is not there.",
        "An administrator corrects the name, or restores the database from a backup.",
    ),
    T(
        "database-crowded",
        "The database has no connection left",
        "So many programs are connected to it that it takes no other.",
        "An administrator looks who is connected (select * from pg_stat_activity) and ends what does not belong there, "
        "or gives it more connections (max_connections).",
    ),
    T(
        "database-certificate",
        "The database's certificate is not believed",
        "The connection to the database is to be encrypted, and the certificate that it shows is not one that the "
        "settings name, or it has expired.",
        "An administrator mends sslmode or sslrootcert in ATTPCDAQ_DATABASE_URL, or gives the database a certificate "
        "that is good.",
    ),
    T(
        "not-migrated",
        "The database is not migrated",
        "Its tables are not those of this program: they come from an older version, or from a newer one. The DAQ "
        "touches nothing before they fit.",
        "An administrator makes a backup and runs manage.py migrate; if the database is newer than the program, starts "
        "the newer version, or restores the backup that was made before it.",
    ),
    T(
        "broker-away",
        "The broker cannot be reached",
        "RabbitMQ carries the commands to the workers. Without it they wait, and expire after 15 s. Stop works all the "
        "same: the monitor carries it out.",
        "An administrator starts RabbitMQ. The workers come back by themselves; press again what expired.",
    ),
    T(
        "worker-away",
        "No worker takes commands",
        "The worker for commands does not say that it is at work, so a command expires after 15 s, and nothing is "
        "sent later. Stop works all the same: the monitor carries it out.",
        "An administrator starts the worker for commands (Celery, queue control).",
    ),
    T(
        "files-worker-away",
        "No worker moves files",
        "The worker for files does not say that it is at work. Boards can be run, but when a run stops its files stay "
        "where they are, and the next run has to wait.",
        "An administrator starts the worker for files (Celery, queue files). It goes on by itself; nothing is lost.",
    ),
    T(
        "monitor-silent",
        "The monitor says nothing",
        "Nobody reads the hardware, or what is read cannot be written. What the page shows is old, and nothing but "
        "Stop is allowed.",
        "An administrator starts the monitor; one that stands by on another computer takes over within 10 s.",
    ),
    T(
        "events-away",
        "Pages do not follow by themselves",
        "The process that tells browsers what has changed does not say that it is at work.",
        "Reload the page to see what is true now. An administrator starts the process events.",
        level="warn",
    ),
    T(
        "web-away",
        "The pages' own process is silent",
        "The process that makes the pages does not say that it is at work.",
        "An administrator looks at the log of the process web, and starts it anew.",
        level="warn",
    ),
    T(
        "part-gone",
        "One of several processes is gone",
        "Another one of the same kind does its work, so all goes on; if that one ends too, nobody is left.",
        "An administrator looks at the computer that is named, and starts the process there again.",
        level="warn",
    ),
    T(
        "host-clock",
        "A computer's clock is off",
        "The clock of a computer of the DAQ differs from the database's. Times in logs and run sheets do not agree, "
        "and commands may expire too early or too late.",
        "An administrator makes sure that all computers of the DAQ set their clocks by the same time server.",
        level="warn",
    ),
    T(
        "certificate",
        "The certificate expires",
        "Browsers warn of a certificate that has expired, or refuse the page.",
        "An administrator puts a new certificate in its place and lets nginx read it. On the control computer itself "
        "the page can be reached by http meanwhile.",
        level="warn",
    ),
    T(
        "backup-old",
        "The last backup is old",
        "No backup of the database was made for longer than the schedule says.",
        "An administrator reads what the log of backup says, and makes space where the backups lie.",
        level="warn",
    ),
)
BY_KEY = {one.key: one for one in SYSTEM}
